"""Does every order in which two sessions' statements can come leave the state whole? Real PostgreSQL, pair by pair.

Orders with up to two switches between sessions are run, and with one COMMIT lost up to one (`Stage.explore` says where
a pair has fewer); orders that nobody could tell apart are run once. Rules broken on purpose, and the pair that saw it:
a commit that does not compare the version: fold and fold; a flag before the withdrawal: claim and kill; an admission
that locks no limit: admit and admit; a prune that does not hold its runs first: prune and fold, prune and restart.
"""
