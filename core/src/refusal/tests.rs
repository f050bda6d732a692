use std::format;
use std::string::ToString as _;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

fn shown(text: &str) -> String {
    presentable(text.chars())
}

#[test]
fn ordinary_words_are_shown_as_they_are() {
    for text in [
        "Invalid symbol.",
        "Our services are currently unavailable in your country. For questions, contact help@kucoin.com.",
        "Please check the header of your request for KC-API-KEY, KC-API-SIGN, KC-API-TIMESTAMP, KC-API-PASSPHRASE.",
        "exceed max subscription count limitation of 100 per time",
        "topic /contractMarket/level2Depth50:XBTUSDTM does not exist",
        "当前地区暂不支持该服务（400302）",
        "Услуга недоступна: \"quoted\", it's C:\\path",
    ] {
        assert_eq!(shown(text), text);
    }
    assert_eq!(shown("  around \n"), r"around \n");
    assert_eq!(shown(" around  "), "around");
    assert_eq!(shown(" \n\t "), "");
}

#[test]
fn what_drives_a_terminal_or_hides_is_written_out() {
    assert_eq!(shown("\u{1b}[31mred\u{7}"), r"\u{1b}[31mred\u{7}");
    assert_eq!(shown("two\r\nlines\ttab"), r"two\r\nlines\ttab");
    assert_eq!(shown("a\u{202e}b\u{2066}c"), r"a\u{202e}b\u{2066}c");
    assert_eq!(shown("a\u{200b}b\u{feff}c\u{2060}d"), r"a\u{200b}b\u{feff}c\u{2060}d");
    assert_eq!(shown("a\u{9b}b\u{ad}c\u{e0041}"), r"a\u{9b}b\u{ad}c\u{e0041}");
    assert_eq!(shown("a\u{3164}b\u{2800}c"), r"a\u{3164}b\u{2800}c");
    assert_eq!(shown("a\u{2028}b\u{301}"), r"a\u{2028}b\u{301}");
}

#[test]
fn a_long_text_is_cut_between_characters_and_between_escapes() {
    let exact = "ab ".repeat(85) + "a";
    assert_eq!((exact.len(), shown(&exact)), (256, exact.clone()));
    let cut = shown(&(exact + "b"));
    assert_eq!((cut.len(), cut.ends_with("ab ab a...")), (256, true), "{cut}");
    let letters = shown(&"国".repeat(200));
    assert_eq!(letters, "国".repeat(84) + "...");
    let escapes = shown(&"\u{1b}".repeat(100));
    assert_eq!(escapes, r"\u{1b}".repeat(42) + "...");
}

#[test]
fn a_token_or_a_signature_is_masked_wherever_it_stands() {
    let word = "a1+/=-_.".repeat(4);
    assert_eq!((word.len(), shown(&word)), (32, word.clone()));
    let token = word + "b";
    assert_eq!(shown(&token), "***");
    assert_eq!(shown(&format!("token {token}, no")), "token ***, no");
    assert_eq!(shown(&format!("wss://x/?token={token}&c=1")), "wss://x/?***&c=1");
    assert_eq!(shown(&"f0".repeat(1_000_000)), "***");
    let at_the_end = format!("{}{token}", "ab ".repeat(84));
    assert_eq!(shown(&at_the_end), "ab ".repeat(84) + "***", "nor in part");
}

#[test]
fn the_latest_words_are_kept_and_the_same_again_is_the_same() {
    let mut words = RecentWords::default();
    let mut keep = |text: &str| words.keep(text.chars());
    assert_eq!(keep(""), None);
    let first = keep("no").unwrap();
    assert_eq!(keep("no"), Some(first));
    let later: Vec<_> = (1..32_u32).map(|n| keep(&n.to_string()).unwrap()).collect();
    assert_eq!(keep("31"), later.last().copied());
    assert_eq!(words.get(first), Some("no"), "31 came after it");
    let again = words.keep("no".chars()).unwrap();
    assert_ne!(again, first, "an event names its own words");
    assert_eq!((words.get(first), words.get(again)), (None, Some("no")));
    assert_eq!(words.get(later[0]), Some("1"));
    assert_eq!(words.texts.len(), KEPT);
    let unknown = [0, again.get() + 1, u32::MAX].map(WordsId::new);
    assert_eq!(unknown.map(|id| words.get(id)), [None; 3]);
}

#[test]
fn ids_go_on_after_the_last_number() {
    let mut words = RecentWords { newest: u32::MAX - 1, ..RecentWords::default() };
    let ids = ["a", "b", "c"].map(|text| words.keep(text.chars()).unwrap());
    assert_eq!(ids.map(|id| words.get(id)), [Some("a"), Some("b"), Some("c")]);
}

/// By their numbers, whatever the library thinks of them: controls, and what is not seen or turns text round.
fn must_not_be_shown(c: char) -> bool {
    let code = u32::from(c);
    let hidden = [
        0..=0x1f,
        0x7f..=0x9f,
        0xad..=0xad,
        0x61c..=0x61c,
        0x115f..=0x1160,
        0x17b4..=0x17b5,
        0x180b..=0x180f,
        0x200b..=0x200f,
        0x2028..=0x202e,
        0x2060..=0x206f,
        0x2800..=0x2800,
        0x3164..=0x3164,
        0xfe00..=0xfe0f,
        0xfeff..=0xfeff,
        0xffa0..=0xffa0,
        0xfff0..=0xfffb,
        0xe0000..=0xe0fff,
    ];
    hidden.iter().any(|range| range.contains(&code))
}

#[test]
fn no_character_that_hides_is_shown() {
    for c in '\0'..=char::MAX {
        let text: String = [c].into_iter().collect();
        assert!(!shown(&text).chars().any(must_not_be_shown), "{}", c.escape_unicode());
    }
}

proptest! {
    #[test]
    fn whatever_is_said_fits_and_shows_no_secret(
        parts in prop::collection::vec(
            prop_oneof![any::<String>(), "[A-Za-z0-9+/=]{0,60}", "[\u{0}-\u{ff}]{0,40}", Just(" ".into())],
            0..12,
        ),
    ) {
        let text = shown(&parts.concat());
        prop_assert!(text.len() <= LONGEST);
        prop_assert!(!text.chars().any(must_not_be_shown), "{text:?}");
        let longest = text.split(|c| !is_of_secret(c)).map(str::len).max();
        // What cuts a text short is of the same letters.
        prop_assert!(longest <= Some(LONGEST_WORD + CUT.len()), "{text}");
    }
}
