#!/usr/bin/env bash
# standardwebhooks signs another moment than the one it is given, if that is not in UTC.
#
# Version: standardwebhooks 1.1.0 (Python).
# Behaviour: `sign` puts UTC in the place of the datetime's own zone instead of converting it. Noon in UTC and 14:00 at +02:00
# are one moment and one `webhook-timestamp`, but get two signatures; the library's own `verify` refuses the second.
# Output seen:
#   the same moment: True
#   the same signature: False
#   signed at +00:00: verified
#   signed at +02:00: No matching signature found
# seen 2026-11-28
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
python3 -m venv env
env/bin/pip install --quiet standardwebhooks==1.1.0

env/bin/python > seen.txt <<'PY'
from datetime import datetime, timedelta, timezone

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

webhook = Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
here = datetime.now(timezone.utc)
there = here.astimezone(timezone(timedelta(hours=2)))
signed_here = webhook.sign("msg_1", here, "{}")
signed_there = webhook.sign("msg_1", there, "{}")
print("the same moment:", here == there)
print("the same signature:", signed_here == signed_there)
for offset, moment, signature in (("+00:00", here, signed_here), ("+02:00", there, signed_there)):
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": signature,
    }
    try:
        webhook.verify("{}", headers)
        print(f"signed at {offset}: verified")
    except WebhookVerificationError as error:
        print(f"signed at {offset}: {error}")
PY

diff - seen.txt <<'OUT'
the same moment: True
the same signature: False
signed at +00:00: verified
signed at +02:00: No matching signature found
OUT
