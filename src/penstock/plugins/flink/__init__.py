"""How do flows steer Flink? By HTTP: its SQL gateway takes statements, its JobManager tells of jobs and stops them."""
