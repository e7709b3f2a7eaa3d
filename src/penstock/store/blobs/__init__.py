"""Where do files stand that tasks hand to each other, and outputs too large for a row?"""
