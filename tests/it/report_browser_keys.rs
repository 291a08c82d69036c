//! The page by keys alone, in a real browser, under its own content policy.
//!
//! Runs when `CANARY_BROWSER` names a Chromium.

use cargo_canary::report::{Format, Style, render};
use serde_json::{Value, json};

use crate::support::audits::audit;
use crate::support::keys::Page;

fn page(changes: usize) -> Option<Page> {
    let Ok(browser) = std::env::var("CANARY_BROWSER") else {
        println!("skipped: CANARY_BROWSER names no browser");
        return None;
    };
    let html = render(&audit(changes, "x"), Format::Html, Style::default());
    Some(Page::open(&browser, &html))
}

#[test]
fn a_reader_without_a_mouse_finds_sorts_opens_and_darkens() {
    let Some(mut page) = page(60) else { return };
    // The first key offers the way past the head.
    page.press("Tab");
    assert_eq!(page.is("document.activeElement.className"), "skip");
    assert_eq!(
        page.is("document.activeElement.getBoundingClientRect().top >= 0"),
        true,
        "it is seen while it has the focus"
    );
    page.press("Enter");
    assert_eq!(page.is("location.hash"), "#main");

    page.tab_until("document.activeElement.id === 'find'");
    for key in ["0", "0", "0", "7"] {
        page.press(key);
    }
    let shown = "document.getElementById('shown').textContent";
    assert_eq!(page.is(shown), "1 of 60");
    page.press("Escape");
    assert_eq!(page.is(shown), "60 of 60");

    // A list is chosen from by its first letter.
    page.press("Tab");
    assert_eq!(page.is("document.activeElement.id"), "by-decision");
    page.press("b");
    let blocked = "Array.from(document.querySelectorAll('#table tbody tr'))\
        .filter(function (row) { return !row.hidden; })\
        .every(function (row) { return row.dataset.decision === 'block'; })";
    assert_eq!(page.is(blocked), true);
    assert_ne!(page.is(shown), "60 of 60");

    page.tab_until("document.activeElement.closest('th[data-sort=name]') !== null");
    page.press("Enter");
    let sorted = "document.querySelector('th[data-sort=name]').getAttribute('aria-sort')";
    assert_eq!(page.is(sorted), "ascending");
    page.press("Enter");
    assert_eq!(page.is(sorted), "descending");

    page.tab_until("document.activeElement.closest('#table tbody a') !== null");
    page.press("Enter");
    let open = "document.getElementById(location.hash.slice(1)).open";
    assert_eq!(page.is(open), true);
    page.tab_until("document.activeElement.tagName === 'SUMMARY'");
    let of_focus = "document.activeElement.parentElement.open";
    let was = page.is(of_focus).as_bool().unwrap();
    page.press("Enter");
    assert_eq!(page.is(of_focus), !was);

    page.tab_until("document.activeElement.id === 'theme'");
    let theme = "document.documentElement.getAttribute('data-theme')";
    assert_eq!(page.is(theme), Value::Null);
    page.press("Enter");
    assert_eq!(page.is(theme), "dark");
    assert_eq!(page.complaints, Vec::<String>::new());
}

#[test]
fn the_tab_key_comes_by_everything_that_can_be_used_and_is_caught_nowhere() {
    let Some(mut page) = page(22) else { return };
    let counted = page.is("(function () {
           var all = document.querySelectorAll('a[href], button, input, select, summary, [tabindex=\"0\"]');
           window.wanted = Array.from(all).filter(function (one) { return one.checkVisibility(); });
           window.met = new Set();
           return window.wanted.length;
         })()");
    let counted = counted.as_u64().unwrap();
    assert!(counted > 60, "{counted}");
    let met = "(function () {
        met.add(document.activeElement);
        var style = getComputedStyle(document.activeElement);
        var outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
        if (!outlined && document.activeElement !== document.body) { window.unseen = document.activeElement.outerHTML; }
        return wanted.every(function (one) { return met.has(one); });
      })()";
    let presses = page.tab_until(met);
    // Each once, in one round.
    assert!(presses as u64 <= counted + 1, "{presses} for {counted}");
    assert_eq!(
        page.is("window.unseen"),
        Value::Null,
        "the focus is seen everywhere"
    );
    assert_eq!(json!(page.complaints), json!([]));
}
