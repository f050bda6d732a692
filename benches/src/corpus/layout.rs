//! Changes as frames, in the order and spacing of keys that a server might choose.

use kucoin_futures_proto::SplitMix64;

use super::market::Market;
use super::shape::Change;

/// How a frame is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// As the exchange writes it today.
    Usual,
    /// Other key orders, `data` first; the same in every frame.
    OtherOrder,
    /// Today's order with white space behind commas and colons, as Python's `json.dumps` writes it.
    Spaced,
    /// Another key order in every frame: nothing can be learned. The hard case.
    Random,
    /// Each frame in one of the layouts above.
    Mixed,
}

impl Layout {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Usual, Self::OtherOrder, Self::Spaced, Self::Random, Self::Mixed];

    /// A word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Usual => "usual",
            Self::OtherOrder => "other key order",
            Self::Spaced => "white space",
            Self::Random => "random key order",
            Self::Mixed => "mixed",
        }
    }
}

/// Frames, one behind the other in one buffer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frames {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Frames {
    pub(super) fn new(markets: &[Market], changes: &[Change], layout: Layout) -> Self {
        let mut rng = SplitMix64::new(layout as u64);
        Self::of_texts(changes.iter().filter_map(|change| {
            let market = markets.get(change.market)?;
            let price = market.price_text(change.price);
            Some(write(&market.symbol, &price, change, layout, &mut rng))
        }))
    }

    pub(super) fn of_texts(texts: impl Iterator<Item = String>) -> Self {
        let mut frames = Self { bytes: Vec::new(), ends: Vec::new() };
        for text in texts {
            frames.bytes.extend_from_slice(text.as_bytes());
            frames.ends.push(frames.bytes.len());
        }
        frames
    }

    /// The frames in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts.zip(&self.ends).map(|(&start, &end)| self.bytes.get(start..end).unwrap_or_default())
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.ends.len()
    }

    /// Length of all frames together.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes.len()
    }
}

fn write(
    symbol: &str,
    price: &str,
    change: &Change,
    layout: Layout,
    rng: &mut SplitMix64,
) -> String {
    let Change { sequence, timestamp, size, bid, .. } = change;
    let side = if *bid { "buy" } else { "sell" };
    let mut data = [
        ("sequence", sequence.to_string()),
        ("change", format!(r#""{price},{side},{size}""#)),
        ("timestamp", timestamp.to_string()),
    ];
    let layout = match layout {
        Layout::Mixed => {
            let plain = [Layout::Usual, Layout::OtherOrder, Layout::Spaced, Layout::Random];
            plain.get(rng.below(4) as usize).copied().unwrap_or(Layout::Usual)
        }
        plain => plain,
    };
    let spaced = layout == Layout::Spaced;
    match layout {
        Layout::OtherOrder => data.reverse(),
        Layout::Random => shuffle(&mut data, rng),
        Layout::Usual | Layout::Spaced | Layout::Mixed => {}
    }
    let mut frame = [
        ("topic", format!(r#""/contractMarket/level2:{symbol}""#)),
        ("type", r#""message""#.into()),
        ("subject", r#""level2""#.into()),
        ("sn", sequence.to_string()),
        ("data", object(&data, spaced)),
    ];
    match layout {
        Layout::OtherOrder => frame.reverse(),
        Layout::Random => shuffle(&mut frame, rng),
        Layout::Usual | Layout::Spaced | Layout::Mixed => {}
    }
    object(&frame, spaced)
}

fn object(fields: &[(&str, String)], spaced: bool) -> String {
    let (colon, comma) = if spaced { (": ", ", ") } else { (":", ",") };
    let fields = fields.iter().map(|(key, value)| format!(r#""{key}"{colon}{value}"#));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(comma))
}

fn shuffle<T>(items: &mut [T], rng: &mut SplitMix64) {
    for at in (1..items.len()).rev() {
        items.swap(at, rng.below(at as u64 + 1) as usize);
    }
}
