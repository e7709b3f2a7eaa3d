"""Are facts said once, and heard as lines?"""
