#!/bin/sh
# Asks the deployed app the questions a customer would notice. APP_URL, APP_VERSION and ENVIRONMENT are set by jenkins-cd.
set -eu
mkdir -p reports
cases=reports/cases
: >"$cases"
count=0 failed=0

# check NAME URL WANTED: the answer (status and body) must contain WANTED
check() {
    count=$((count + 1))
    answer=$(curl --silent --show-error --max-time 10 --write-out ' [%{http_code}]' "$APP_URL$2" 2>&1) || true
    case $answer in
    *"$3"*)
        echo "passed: $1"
        echo "  <testcase classname=\"smoke.$ENVIRONMENT\" name=\"$1\"/>" >>"$cases"
        ;;
    *)
        failed=$((failed + 1))
        echo "FAILED: $1: $APP_URL$2 answered $answer"
        echo "  <testcase classname=\"smoke.$ENVIRONMENT\" name=\"$1\">" \
            "<failure message=\"no $3\"><![CDATA[$answer]]></failure></testcase>" >>"$cases"
        ;;
    esac
}

check "the page is there" / "[200]"
check "the page lists products" / "Fountain pen"
check "the page shows the version" / "version $APP_VERSION"
check "an unknown page is not found" /no-such-page "[404]"

{
    echo "<testsuite name=\"smoke\" tests=\"$count\" failures=\"$failed\">"
    cat "$cases"
    echo "</testsuite>"
} >reports/smoke.xml
rm -f "$cases"
[ "$failed" -eq 0 ]
