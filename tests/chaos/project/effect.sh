# What an attempt leaves behind: a line when it begins and a line when its work is done, each written whole.
began() { echo "$PENSTOCK_RUN $PENSTOCK_STEP $PENSTOCK_ATTEMPT began" >> "$HOME/ledger"; }
did() { echo "$PENSTOCK_RUN $PENSTOCK_STEP $PENSTOCK_ATTEMPT did" >> "$HOME/ledger"; }
work() { began; sleep "${1:-0.02}"; did; }
