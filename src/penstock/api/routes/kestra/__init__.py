"""Which addresses do programs call that were written for Kestra?"""
