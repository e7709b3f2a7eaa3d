"""How does a database come to the schema that this code expects?"""
