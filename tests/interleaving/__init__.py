"""Does every order in which two sessions' statements can come leave the state whole? Real PostgreSQL, pair by pair."""
