#!/bin/sh
# report_browser.sh [REPORT.html]: what a browser makes of the page: it shows the verdict, also with
# scripts switched off, and asks the network for nothing. Skipped where there is no chromium.
cd "$(dirname "$0")/.." || exit 2
page=$(realpath "${1:-tests/fixtures/report/incident.html}")
if ! command -v chromium >/dev/null; then
	echo "report_browser: skipped, there is no chromium"
	exit 0
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

fail() {
	echo "report_browser: $1" >&2
	failed=1
}

browse() {
	timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
		--disable-quic --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync --host-resolver-rules='MAP * ~NOTFOUND' \
		--enable-logging=stderr --user-data-dir="$dir/profile" "$@"
}

browse --log-net-log="$dir/net.json" --dump-dom "file://$page" >"$dir/dom" 2>"$dir/log" ||
	fail "chromium failed on $page"
grep -q '<header class="verdict' "$dir/dom" || fail 'the verdict is not in the page'
grep -q '<section id="raw">' "$dir/dom" || fail 'the page is not complete'
grep 'CONSOLE' "$dir/log" && fail 'the browser complains'

# In a sandboxed frame no script runs: a page that needs one would be blank, a PNG of a few kB.
printf '<iframe sandbox style="border:0;width:1280px;height:900px" src="file://%s"></iframe>' "$page" \
	>"$dir/frame.html"
# The picture may be taken before the frame is drawn: look again before calling it blank.
for _ in 1 2 3; do
	browse --screenshot="$dir/page.png" --window-size=1300,920 --virtual-time-budget=5000 \
		"file://$dir/frame.html" >"$dir/log" 2>&1
	size=$(wc -c <"$dir/page.png")
	[ "$size" -le 40000 ] || break
done
[ "$size" -gt 40000 ] || fail "the page is blank without scripts: a picture of $size bytes"

# What was asked for, apart from the browser's own start-up.
grep -oE '"url": ?"[a-z]+://[^"]*"' "$dir/net.json" | grep -E '"(https?|wss?|ftp)://' |
	grep -vE '://([a-z0-9-]+\.)*(google|googleapis|gstatic|gvt1|googleusercontent)\.com' &&
	fail 'the page made a request'
grep -oiE '<(script|link|img|iframe|object|embed|form|base)|(src|action|poster|data)="[^"]*"|href="[^#"][^"]*"|url\([^)]*\)|@import' \
	"$page" && fail 'the page refers to something outside'

[ $failed = 0 ] && echo "report_browser: ${page##*/} shows its verdict, without scripts or requests"
exit $failed
