"""Which services can a flow tell people through? Chats, alerts, mail: a message, or an account of a run."""
