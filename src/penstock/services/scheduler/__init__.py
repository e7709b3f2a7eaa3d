"""Who looks after time? One server of all leads: it fires what is due; the others stand by."""
