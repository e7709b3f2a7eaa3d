"""Would the simulation notice? Bugs planted one at a time into a copy of the source, each of which it must find."""
