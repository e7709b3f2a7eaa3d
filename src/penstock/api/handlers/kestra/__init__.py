"""What do programs that were written for Kestra ask for? Each call is a verb of ours, told in its shapes."""
