//! However a frame of a channel is laid out, it says the same: keys in any order, further keys, white space,
//! escapes. And whatever is cut off it, nothing but an error comes of it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    missing_docs,
    reason = "tests"
)]

mod common;

use common::*;
use kucoin_futures_proto::{Channel, Input, Interval, Message, Symbol};
use proptest::prelude::*;
use proptest::sample::Index;

/// One frame of each kind: channel, topic, subject, and the entries of its data.
struct Sample(Channel, &'static str, &'static [(&'static str, &'static str)]);

fn samples() -> Vec<Sample> {
    let link: Symbol = LINK.parse().unwrap();
    let stats = Sample(
        Channel::stats_24h(link),
        "snapshot.24h",
        &[
            ("highPrice", "14.990"),
            ("priceChgPct", "-1.11E-2"),
            ("symbol", r#""LINKUSDTM""#),
            ("ts", "1791500005494812819"),
            ("turnover", "526928331.0482177734"),
        ],
    );
    let order = Sample(
        Channel::orders_of(link),
        "symbolOrderChange",
        &[
            ("symbol", r#""LINKUSDTM""#),
            ("side", r#""buy""#),
            ("orderId", r#""3611""#),
            ("type", r#""match""#),
            ("orderTime", "1791500005935374001"),
            ("size", r#""12""#),
            ("matchPrice", r#""14.205""#),
            ("matchSize", "5"),
            ("oldSize ", r#""13""#),
            ("clientOid", r#""""#),
            ("status", r#""open""#),
            ("ts", "1791500005974000000"),
        ],
    );
    let stop = Sample(
        Channel::stop_orders(),
        "stopOrder",
        &[
            ("orderId", r#""3511""#),
            ("orderPrice", "null"),
            ("side", r#""sell""#),
            ("size", "3"),
            ("stop", r#""up""#),
            ("stopPrice", r#""14.0""#),
            ("symbol", r#""LINKUSDTM""#),
            ("type", r#""triggered""#),
            ("triggerSuccess", "true"),
            ("createdAt", "1791500004837"),
        ],
    );
    let position = Sample(
        Channel::positions(),
        "position.change",
        &[
            ("symbol", r#""LINKUSDTM""#),
            ("currentQty", "-31"),
            ("posLoss", "0E-8"),
            ("posCross", "1.2E-7"),
            ("crossMode", "true"),
            ("changeReason", r#""adl""#),
            ("settleCurrency", r#""USDT""#),
            ("currentTimestamp", "1791500061514"),
        ],
    );
    let settlement = Sample(
        Channel::positions_of(link),
        "position.settlement",
        &[
            ("markPrice", "14.21"),
            ("qty", "-2"),
            ("fundingFee", "-0.00309113"),
            ("fundingRate", "-2.3e-05"),
            ("ts", "1791504018495030863"),
        ],
    );
    [market(link), vec![stats, order, stop, position, settlement], account()]
        .into_iter()
        .flatten()
        .collect()
}

fn market(link: Symbol) -> Vec<Sample> {
    vec![
        Sample(
            Channel::depth5(link),
            "level2",
            &[
                ("bids", r#"[["14.205",713],["14.2",54]]"#),
                ("asks", r#"[["14.21","854"],[14.2105,4]]"#),
                ("sequence", "1655400450777"),
                ("ts", "1791500000500"),
            ],
        ),
        Sample(
            Channel::depth50(link),
            "level2",
            &[("bids", "[]"), ("asks", r#"[["14.21",854]]"#), ("ts", "1791500000500")],
        ),
        Sample(
            Channel::instrument(link),
            "mark.index.price",
            &[("markPrice", "14.2050"), ("indexPrice", "14"), ("timestamp", "1791500001000")],
        ),
        Sample(
            Channel::instrument(link),
            "funding.rate",
            &[("fundingRate", "-0.000077"), ("granularity", "60000"), ("period", "1")],
        ),
        Sample(
            Channel::announcements(),
            "funding.end",
            &[
                ("symbol", r#""LINKUSDTM""#),
                ("fundingTime", "1791504000000"),
                ("fundingRate", "1E-5"),
                ("timestamp", "1791504000017"),
            ],
        ),
        Sample(
            Channel::candles(link, Interval::Min1),
            "candle.stick",
            &[
                ("symbol", r#""LINKUSDTM""#),
                ("candles", r#"["1791489600","14.10","14.2","14.9","13.8","30210.5","2131"]"#),
                ("time", "1791500003213"),
            ],
        ),
    ]
}

fn account() -> Vec<Sample> {
    vec![
        Sample(
            Channel::wallet(),
            "walletBalance.change",
            &[
                ("availableBalance", r#""61.4194160998""#),
                ("crossUnPnl", r#""-0.01278""#),
                ("version", r#""37""#),
                ("currency", r#""USDT""#),
                ("timestamp", r#""1791500006764""#),
            ],
        ),
        Sample(
            Channel::wallet(),
            "withdrawHold.change",
            &[("withdrawHold", "7.50"), ("currency", r#""XBT""#), ("timestamp", "1791500006764")],
        ),
        Sample(
            Channel::positions(),
            "position.adjustRiskLimit",
            &[("success", "false"), ("riskLimitLevel", "9"), ("msg", r#""not \"enough\"""#)],
        ),
    ]
}

impl Sample {
    fn topic(&self) -> String {
        format!("\"{}\"", self.0)
    }

    fn usual(&self) -> String {
        let data = self.2.iter().map(|(key, value)| (String::from(*key), String::from(*value)));
        self.laid_out(&Layout::default(), data.collect())
    }

    /// The frame with these entries in its data.
    fn laid_out(&self, layout: &Layout, data: Vec<(String, String)>) -> String {
        let mut frame = vec![
            ("topic".to_owned(), layout.escaped(&self.topic())),
            ("type".to_owned(), layout.escaped("\"message\"")),
            ("subject".to_owned(), layout.escaped(&format!("\"{}\"", self.1))),
            ("data".to_owned(), layout.object(data)),
        ];
        frame.extend(layout.more.iter().map(|more| (format!("x{}", more.0), more.1.clone())));
        layout.object(frame)
    }

    fn in_layout(&self, layout: &Layout) -> String {
        let mut data: Vec<(String, String)> =
            self.2.iter().map(|(key, value)| (layout.key(key), layout.escaped(value))).collect();
        data.extend(layout.more.iter().map(|more| (format!("new{}", more.0), more.1.clone())));
        self.laid_out(layout, data)
    }
}

/// How a frame is written.
#[derive(Clone, Default, Debug)]
struct Layout {
    /// Where each next entry comes from.
    order: Vec<Index>,
    more: Vec<(u8, String)>,
    space: [&'static str; 3],
    /// Some letters are written as escapes.
    escapes: bool,
}

impl Layout {
    fn object(&self, mut entries: Vec<(String, String)>) -> String {
        let mut order = self.order.iter();
        let mut texts = Vec::new();
        let [a, b, c] = self.space;
        while !entries.is_empty() {
            let at = order.next().map_or(0, |index| index.index(entries.len()));
            let (key, value) = entries.remove(at);
            texts.push(format!("{a}\"{key}\"{b}:{c}{value}{b}"));
        }
        format!("{{{}{a}}}", texts.join(","))
    }

    fn key(&self, key: &str) -> String {
        if self.escapes { key.replace('e', "\\u0065") } else { key.to_owned() }
    }

    /// A text with an escape in it; numbers in texts are not read with one.
    fn escaped(&self, value: &str) -> String {
        let is_word = value.starts_with('"') && !value.trim_matches('"').starts_with(is_digit);
        let is_word = is_word && !value.starts_with("\"-");
        if self.escapes && is_word {
            value.replace('/', "\\/").replace('a', "\\u0061").replace('S', "\\u0053")
        } else {
            value.to_owned()
        }
    }
}

const fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn layout() -> impl Strategy<Value = Layout> {
    let space = prop::sample::select(&["", "", " ", "\n\t", "\r\n  "][..]);
    let value = prop::sample::select(
        &["null", "1.5E-3", "\"\"", "[[],{\"ts\":{}}]", "{\"symbol\":\"X\"}", "false"][..],
    );
    let more = prop::collection::vec(value.prop_map(String::from), 0..3);
    (
        prop::collection::vec(any::<Index>(), 20),
        more,
        [space.clone(), space.clone(), space],
        any::<bool>(),
    )
        .prop_map(|(order, more, space, escapes)| {
            let more = more.into_iter().enumerate().map(|(n, text)| (n as u8, text)).collect();
            Layout { order, more, space, escapes }
        })
}

/// What a message says, with its texts as they are meant.
fn meant(message: &Message<'_>) -> String {
    let mut text = format!("{message:?}");
    for (from, to) in [("\\\\u0061", "a"), ("\\\\u0053", "S"), ("escaped: true", "escaped: false")]
    {
        text = text.replace(from, to);
    }
    text
}

#[test]
fn each_sample_is_read_as_what_it_is() {
    for sample in samples() {
        let text = sample.usual();
        let message = said(sample.0, &text).unwrap();
        assert!(!matches!(message, Message::Unknown(_)), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_frame_says_the_same_in_any_layout(layout in layout()) {
        for sample in samples() {
            let (usual, text) = (sample.usual(), sample.in_layout(&layout));
            let (usual, other) = (said_by_frame(&usual).unwrap(), said(sample.0, &text));
            let other = other.unwrap_or_else(|error| panic!("{error}: {text}"));
            prop_assert_eq!(meant(&other), meant(&usual), "{}", text);
        }
    }

    /// By the client, too; each cut is another frame to it.
    #[test]
    fn a_frame_that_is_cut_or_damaged_harms_nobody(
        layout in layout(),
        cut in any::<Index>(),
        at in any::<Index>(),
        byte in any::<u8>(),
    ) {
        for sample in samples() {
            let (mut rig, _) = Rig::carrying(sample.0);
            let mut bytes = sample.in_layout(&layout).into_bytes();
            let cut = &bytes[..cut.index(bytes.len())];
            prop_assert!(taken(&mut rig, cut).is_none(), "{}", String::from_utf8_lossy(cut));
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Some(said) = taken(&mut rig, &bytes) {
                let frame = std::str::from_utf8(&bytes).map(said_by_frame);
                prop_assert_eq!(Some(said), frame.ok().map(|said| format!("{said:?}")));
            }
        }
    }
}

/// What a client makes of some bytes; `None` if nothing is handed out.
fn taken(rig: &mut Rig, bytes: &[u8]) -> Option<String> {
    let turn = rig.client.handle(rig.now, Input::Text { conn: rig.conn, bytes });
    let said = turn.into_message().map(|push| format!("{:?}", push.decode()));
    rig.drain();
    said
}
