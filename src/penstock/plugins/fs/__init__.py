"""Which task types work on files of other machines and of this one? SFTP, FTP, FTPS, local folders; SSH, TCP, UDP."""
