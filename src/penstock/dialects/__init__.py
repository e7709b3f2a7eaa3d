"""In which ways may a flow be written? One folder per dialect: text in, model and problems out."""
