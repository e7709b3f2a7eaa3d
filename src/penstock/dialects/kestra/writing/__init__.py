"""How is a flow written in Kestra's language? `flow.write` gives a text that is read as the same flow."""
