"""What is left to be found when real workers, children and servers are killed, stopped and restarted at random?"""
