"""Where does an attempt's process live? One folder per answer; here: a process of this machine."""
