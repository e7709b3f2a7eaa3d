"""What does the API take and give? Frozen values by noun; the OpenAPI document is made from them."""
