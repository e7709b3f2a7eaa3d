"""How is a flow's text changed without losing what its author did? Words are moved or replaced, all else stays."""
