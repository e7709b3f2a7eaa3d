"""What does each route do? One function each: it calls a service, and gives what that gives as a shape."""
