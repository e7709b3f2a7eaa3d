"""Which servers does the lakehouse need, and how do they run on a machine without containers?"""
