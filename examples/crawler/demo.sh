#!/bin/sh
# What lockstep does, on real input: demo.sh BUILD_DIR. Fails if anything is not as it says.
set -eu
cd "${1:?usage: demo.sh BUILD_DIR}/examples/crawler"
output=$(mktemp)
trap 'rm -f "$output"' EXIT

say() {
  printf '\n== %s\n\n' "$*"
}
# show COMMAND: prints it, runs it, and prints and keeps its output; its exit status is that of the command.
show() {
  echo "\$ $1"
  status=0
  sh -c "$1" >"$output" 2>&1 || status=$?
  grep -v '^Running main() from' "$output"
  return $status
}
fail() {
  echo "demo: $*" >&2
  exit 1
}
trace() {
  sed -n 's/^trace \([0-9a-f]\{16\}\).*$/\1/p' "$output"
}
export GTEST_BRIEF=1 GTEST_COLOR=no LOCKSTEP_FAILURES=none
unset LOCKSTEP_REPLAY LOCKSTEP_RUNS LOCKSTEP_SCHEDULE LOCKSTEP_SEED

say "A crawler reads git's manual over HTTP from a host that is far away, both simulated: minutes pass in no time."
show ./crawler || fail "the crawler failed"
pages=$(sed -n 's/^  pages  *//p' "$output")

say "The network is cut in the middle of the crawl, for 20 s. The crawler tries again, and finds every page."
show "./crawler --cut=20:20" || fail "the crawler failed"
[ "$(sed -n 's/^  pages  *//p' "$output")" = "$pages" ] || fail "the crawler lost pages by the partition"
grep -q '^  given up *0$' "$output" || fail "the crawler gave up pages"

say "The crawler's power is cut after 60 s. What its resume file has is on its disk, and it goes on from there."
show "./crawler --resume=/var/lib/crawl --crash=60" || fail "the crawler failed"
[ "$(sed -n 's/^  pages  *//p' "$output")" = "$pages" ] || fail "the crawler lost pages by the power cut"
grep -q '^  resumed with *[1-9]' "$output" || fail "the crawler began anew"

say "The same crawler with a defect: two links to a page that arrive together make it fetch the page twice." \
  "In the plain order its test passes."
test="--gtest_filter=CrawlerThatMarksLate.FetchesEachPageOnce"
show "./crawler_defect_test $test --lockstep_schedule=plain" || fail "the test should pass in the plain order"

say "Random orders find the defect, and the failure names the line that repeats it."
if show "./crawler_defect_test $test --lockstep_runs=100"; then fail "a hundred random orders did not find the defect"; fi
found=$(trace)
repeat=$(sed -n 's/^repeat: //p' "$output")
if [ -z "$found" ] || [ -z "$repeat" ]; then fail "the failure does not say how to repeat it"; fi

say "That line, as it was printed, fails again in the same way."
if show "$repeat"; then fail "the repeated run passed"; fi
[ "$(trace)" = "$found" ] || fail "the repeated run has another trace: $(trace), not $found"
printf '\nThe trace is the same, step by step: both runs have the hash %s.\n' "$found"

say "Exploring tries the orders one after the other, shrinks the failure, and names the two steps whose order decides."
if show "./crawler_defect_test $test --lockstep_explore"; then fail "exploring did not find the defect"; fi
explained() {
  grep -q '^Shrunk to\|\. Shrunk to' "$output" || fail "the failure was not shrunk"
  grep -q 'and passes the other way round' "$output" || fail "the failure was not explained"
}
explained

say "Another defect: after a connection is reset, the crawler submits its index again, though the service has taken it." \
  "No test that says which connection breaks is needed: exploring finds the one whose loss hurts."
if show "./submission_defect_test"; then fail "exploring did not find the second submission"; fi
explained

say "Another defect: the resume file is renamed without a sync. The power is cut behind each change of a file, for each" \
  "kind of file system, and what was lost is shrunk; the correct crawler passes the same test."
if show "./resume_defect_test"; then fail "the sweep did not find the missing sync"; fi
grep -q 'lost:$' "$output" || fail "the sweep does not say what was lost"
show "./crawler_test --gtest_filter=ResumeFile.SurvivesEveryPowerCut" || fail "the correct crawler lost pages"

say "A defect of a real program: asyncio.Semaphore as it was in CPython 3.10.5, in C++. Its test passes as it is written."
show "../18_found_in_asyncio --lockstep_explore=0" || fail "the test should pass in the plain order"
if show "../18_found_in_asyncio"; then fail "exploring did not find the defect of asyncio.Semaphore"; fi
explained

say "The crawler without the defect passes in the same orders and a hundred more."
show "./crawler_test --gtest_filter=Crawler.FetchesEachPageOnce --lockstep_schedule=random --lockstep_runs=200" ||
  fail "the correct crawler failed"
