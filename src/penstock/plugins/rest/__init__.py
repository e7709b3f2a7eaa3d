"""How are servers asked that answer in JSON, and waited for while they are away or while something comes to an end?"""
