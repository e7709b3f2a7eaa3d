"""What is told to others of what happens here? Traces, lineage and calls of alerts, sent by whichever server leads."""
