//! Ours says of every frame what the rival says.

use kucoin_futures_proto::Message;
use kucoin_futures_proto::wire::{Levels, OrderUpdate, PositionUpdate, Text, WalletUpdate};
use rust_decimal::Decimal;

use super::{Order, Said, read};
use crate::corpus::{Corpus, Feed, Shape, Spread};
use crate::ours::Messages;

#[test]
fn ours_and_the_rival_read_every_message_and_say_the_same() {
    let shape = Shape { symbols: 6, levels: 50, changes: 400, spread: Spread::Touch, seed: 3 };
    let corpus = Corpus::new(shape);
    let mut seen = 0;
    for feed in Feed::ALL {
        if matches!(feed, Feed::TickerV2 | Feed::Execution) {
            continue;
        }
        let mut client = Messages::new(&corpus.markets, feed);
        for frame in corpus.messages(feed).iter() {
            let theirs = read(feed, frame).unwrap();
            let same = client.feed(frame, |message| said(message) == theirs);
            assert_eq!(same, Some(true), "{theirs:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, 400 * 3 + 200 * 3 + 100 + 40);
}

/// Equal numbers are equal, however many zeros they have.
fn number(ours: impl ToString) -> Decimal {
    ours.to_string().parse().unwrap()
}

fn said<'a>(message: &Message<'a>) -> Said<'a> {
    match message {
        Message::Depth5(depth) | Message::Depth50(depth) => {
            let side = |levels: Levels<'_>| {
                levels.iter().map(|level| (number(level.price), level.size.get())).collect()
            };
            let ts = depth.ts_event.unwrap().as_millis();
            let sequence = depth.sequence.unwrap().get();
            Said::Depth(sequence, ts, [side(depth.bids), side(depth.asks)])
        }
        Message::MarkPrice(mark) => {
            let interval = mark.interval.unwrap().as_millis() as u64;
            let times = [interval, mark.ts_event.unwrap().as_millis()];
            Said::Mark([mark.mark_price, mark.index_price].map(number), times)
        }
        Message::Stats24h(s) => {
            let numbers = [
                s.high_price,
                s.last_price,
                s.low_price,
                s.price_24h_before,
                s.price_change,
                s.price_change_ratio,
                s.turnover,
                s.volume,
            ];
            let numbers = numbers.map(|n| number(n.unwrap()));
            Said::Stats(numbers, s.ts_event.unwrap().as_nanos())
        }
        Message::Candle(c) => {
            let prices = [c.open, c.close, c.high, c.low, c.turnover].map(number);
            let start = c.start.as_nanos() / 1_000_000_000;
            Said::Candle(start, prices, c.volume.get(), c.ts_event.unwrap().as_millis())
        }
        Message::Order(order) => order_said(order),
        Message::Position(position) => position_said(position),
        Message::Wallet(wallet) => wallet_said(wallet),
        other => panic!("{other:?}"),
    }
}

fn plain(text: Option<Text<'_>>) -> &str {
    text.unwrap().plain().unwrap()
}

fn order_said<'a>(o: &OrderUpdate<'a>) -> Said<'a> {
    let sizes = [o.canceled_size, o.size, o.filled_size, o.match_size, o.remain_size];
    Said::Order(Order {
        ids: [Some(o.order_id), o.trade_id, o.client_oid].map(plain),
        words: [
            o.order_type.unwrap().as_str(),
            o.side.as_str(),
            o.position_side.unwrap().as_str(),
            o.liquidity.unwrap().as_str(),
            o.margin_mode.unwrap().as_str(),
            o.change.as_str(),
            o.fee_type.unwrap().as_str(),
            o.trade_type.unwrap().as_str(),
            o.status.as_str(),
        ],
        sizes: sizes.map(|size| size.unwrap().get()),
        prices: [o.price, o.match_price].map(|price| number(price.unwrap())),
        times: [o.order_time, o.ts_event].map(|time| time.unwrap().as_nanos()),
    })
}

fn position_said<'a>(p: &PositionUpdate<'a>) -> Said<'a> {
    let numbers = [
        p.maint_margin_req,
        p.risk_limit,
        p.real_leverage,
        p.deleverage_percentage,
        p.current_cost,
        p.current_comm,
        p.unrealised_cost,
        p.realised_cost,
        p.mark_price,
        p.mark_value,
        p.pos_cost,
        p.pos_cross,
        p.pos_init,
        p.pos_comm,
        p.pos_loss,
        p.pos_margin,
        p.pos_funding,
        p.pos_maint,
        p.maint_margin,
        p.avg_entry_price,
        p.liquidation_price,
        p.bankrupt_price,
        p.realised_gross_cost,
        p.realised_gross_pnl,
        p.realised_pnl,
        p.unrealised_pnl,
        p.unrealised_pnl_ratio,
        p.unrealised_roe_ratio,
        p.leverage,
    ];
    // The test's symbols live as long as the program.
    let symbol = String::leak(p.symbol.unwrap().to_string());
    let words = [
        symbol,
        plain(p.settle_currency),
        p.change_reason.unwrap().as_str(),
        p.margin_mode.unwrap().as_str(),
        p.position_side.unwrap().as_str(),
    ];
    Said::Position(
        words,
        numbers.map(|n| number(n.unwrap())),
        [p.current_qty, p.risk_limit_level].map(Option::unwrap),
        [p.opening_time, p.ts_event].map(|time| time.unwrap().as_millis()),
        [p.cross_mode, p.auto_deposit, p.is_open].map(Option::unwrap),
    )
}

fn wallet_said<'a>(w: &WalletUpdate<'a>) -> Said<'a> {
    let amounts = [
        w.cross_pos_margin,
        w.isolated_order_margin,
        w.hold_balance,
        w.equity,
        Some(w.available_balance),
        w.isolated_pos_margin,
        w.max_withdraw_amount,
        w.wallet_balance,
        w.isolated_funding_fee_margin,
        w.cross_unrealised_pnl,
        w.total_cross_margin,
        w.isolated_unrealised_pnl,
        w.cross_order_margin,
    ];
    let counts = [w.version.unwrap(), w.ts_event.unwrap().as_millis()];
    Said::Wallet(plain(Some(w.currency)), amounts.map(|n| number(n.unwrap())), counts)
}
