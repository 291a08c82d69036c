#!/usr/bin/env bash
# One step of a GitHub workflow: audits, annotates, writes the summary of the
# job, comments on the pull request, and ends with the verdict's exit code.
#
# All values from the event come in by the environment, so that none of them
# can become part of a command.
set -uo pipefail

tool="${CANARY_TOOL:-cargo-canary}"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "${CANARY_DIRECTORY:-.}" || exit 2

# A merge queue names the base of its group; comparing with the default branch
# would compare the group with itself once it has landed.
base="${CANARY_BASE:-}"
if [ -z "$base" ]; then
  case "${CANARY_EVENT:-}" in
    merge_group) base="${CANARY_QUEUE_BASE:-}" ;;
    pull_request | pull_request_target) base="${CANARY_PULL_BASE:-}" ;;
    push) base="${CANARY_PUSH_BASE:-}" ;;
  esac
fi
case "$base" in
  *[!0]*) ;;
  *)
    # Nothing, or the zeros of a new branch. Never an empty difference.
    echo "::error title=cargo-canary::no base to compare with; name one with the input base"
    exit 2
    ;;
esac
# Nothing of a pull request is checked out for pull_request_target, and nothing of
# it has to be: a revision is read from git's objects.
head=WORKTREE
tip=HEAD
if [ "${CANARY_EVENT:-}" = pull_request_target ]; then
  tip="${CANARY_PULL_HEAD:-}"
  if ! [[ "$tip" =~ ^[0-9a-f]{40,64}$ ]]; then
    echo "::error title=cargo-canary::the event does not name the head of the pull request"
    exit 2
  fi
  git cat-file -e "$tip^{commit}" 2>/dev/null || git fetch --quiet --no-tags origin "$tip"
  head="git:$tip"
fi
# The base of a pull request moves on; what counts is where the branch began.
if [[ "${CANARY_EVENT:-}" == pull_request* && -z "${CANARY_BASE:-}" ]]; then
  git cat-file -e "$base^{commit}" 2>/dev/null || git fetch --quiet --no-tags origin "$base"
  base="$(git merge-base "$tip" "$base" 2>/dev/null || echo "$base")"
fi
git cat-file -e "$base^{commit}" 2>/dev/null || git fetch --quiet --no-tags --depth=1 origin "$base"

arguments=(--base "git:$base" --head "$head" --no-progress)
if [ -n "${CANARY_POLICY:-}" ]; then
  arguments+=(--policy "$CANARY_POLICY")
fi

"$tool" check "${arguments[@]}" --format markdown --output "$folder/comment.md"
code=$?
case "$code" in
  0) verdict=pass ;;
  1) verdict=block ;;
  3) verdict=canary ;;
  4) verdict=incomplete ;;
  *) exit "$code" ;;
esac
if [ -n "${GITHUB_OUTPUT:-}" ]; then
  echo "verdict=$verdict" >>"$GITHUB_OUTPUT"
fi
# The verdict has been given, and recorded where there is a ledger: what follows
# only says it again.
"$tool" report "${arguments[@]}" --format github
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
  cat "$folder/comment.md" >>"$GITHUB_STEP_SUMMARY"
fi
if [ -n "${CANARY_SARIF:-}" ]; then
  "$tool" report "${arguments[@]}" --format sarif --output "$CANARY_SARIF"
fi

# Asks the platform. The token is given by a file, not on the command line.
ask() {
  curl --silent --show-error --fail --max-time 30 --config "$folder/curl" "$@"
}

# Changes the comment with the marker, or makes one.
comment() {
  local api="${GITHUB_API_URL:-https://api.github.com}/repos/$GITHUB_REPOSITORY"
  printf 'header = "Authorization: Bearer %s"\nheader = "Accept: application/vnd.github+json"\n' \
    "$CANARY_TOKEN" >"$folder/curl"
  chmod 600 "$folder/curl"
  jq --raw-input --slurp '{body: .}' "$folder/comment.md" >"$folder/body.json" || return 1
  local page=1 found=""
  while [ -z "$found" ] && [ "$page" -le 20 ]; do
    ask "$api/issues/$CANARY_PULL/comments?per_page=100&page=$page" >"$folder/page.json" || return 1
    # Only the comment of a bot: anybody can write the marker.
    found="$(jq --raw-output 'map(select(.user.type == "Bot" and (.body | startswith("<!-- cargo-canary -->")))) | .[0].id // empty' "$folder/page.json")"
    [ "$(jq length "$folder/page.json")" -lt 100 ] && break
    page=$((page + 1))
  done
  if [ -n "$found" ]; then
    ask --request PATCH --data "@$folder/body.json" "$api/issues/comments/$found" >/dev/null
  else
    ask --request POST --data "@$folder/body.json" "$api/issues/$CANARY_PULL/comments" >/dev/null
  fi
}

if [ "${CANARY_COMMENT:-true}" = true ] && [[ "${CANARY_PULL:-}" =~ ^[0-9]+$ ]]; then
  if [ -z "${CANARY_TOKEN:-}" ] || ! comment; then
    echo "::notice title=cargo-canary::the pull request could not be commented on (a fork has no permission to); the summary of the job has the same text"
  fi
fi
exit "$code"
