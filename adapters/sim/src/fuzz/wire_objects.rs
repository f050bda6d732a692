//! Any bytes into the decoders of objects of many keys: what is accepted is what the referee reads, key by
//! key; what is refused has a reason.

use std::fmt::Display;

use kucoin_futures_proto::wire::{
    BalanceUpdate, CandleUpdate, CrossLeverages, Depth, FundingRate, FundingSettlement,
    MarginModes, MarkPrice, OrderUpdate, PositionSettlement, PositionUpdate, RiskLimitUpdate,
    Stats24h, StopOrderUpdate, WalletUpdate,
};
use kucoin_futures_proto::{Decimal, Lots, Price, UnixNanos};

use super::json::Json;
use super::wire_any::refused_rightly;

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Symbol,
    Decimal,
    /// A signed number without a fraction.
    Whole,
    /// The same from zero on.
    Count,
    Price,
    Lots,
    Text,
    Bool,
    Millis,
    Nanos,
    /// A time in either unit.
    Either,
}

use Form::{
    Bool, Count, Decimal as Number, Either, Lots as Size, Millis, Nanos, Symbol, Text, Whole,
};

/// Keys whose value has to be there are marked.
type Row<'a> = (&'a str, Form, bool, Option<String>);

/// What an object says under its keys, or that it is refused, is what the referee makes of them.
fn compare<T: std::fmt::Debug>(
    bytes: &[u8],
    json: Option<&Json>,
    parsed: Result<T, kucoin_futures_proto::WireError>,
    rows: impl Fn(Option<&T>) -> Vec<Row<'static>>,
) {
    refused_rightly(&parsed, json);
    let parsed = parsed.ok();
    let rows = rows(parsed.as_ref());
    let is_accepted = json.filter(|json| json.is_object()).is_some_and(|json| {
        rows.iter().all(|(key, form, needed, _)| reference(json, key, *form, *needed).is_some())
    });
    let text = || String::from_utf8_lossy(bytes);
    assert_eq!(parsed.is_some(), is_accepted, "{parsed:?}: {}", text());
    let (Some(_), Some(json)) = (parsed, json) else { return };
    for (key, form, needed, said) in rows {
        assert_eq!(Some(said), reference(json, key, form, needed), "{key}: {}", text());
    }
}

/// What a key says: `None` if that is an error, `Some(None)` if it says nothing.
fn reference(json: &Json, key: &str, form: Form, needed: bool) -> Option<Option<String>> {
    let value = match json.all(key)[..] {
        [] | [Json::Null] => None,
        [value] => Some(value).filter(|value| needed || !value.is_nothing()),
        _ => return None,
    };
    let is_time = matches!(form, Millis | Nanos | Either);
    match value {
        // A time that cannot be read is none.
        Some(value) if is_time => Some(meaning(value, form)),
        Some(value) => meaning(value, form).map(Some),
        None => (!needed).then_some(None),
    }
}

fn meaning(json: &Json, form: Form) -> Option<String> {
    let decimal = || json.digits()?.parse::<Decimal>().ok();
    let whole = || {
        let number = decimal()?;
        let factor = 10_i128.checked_pow(u32::try_from(number.exponent()).ok()?)?;
        number.mantissa().checked_mul(factor)
    };
    Some(match form {
        Symbol => json.symbol()?.to_string(),
        Number => decimal()?.to_string(),
        Whole => i64::try_from(whole()?).ok()?.to_string(),
        Count => u64::try_from(whole()?).ok()?.to_string(),
        Form::Price => json.price()?.to_string(),
        Size => json.lots()?.to_string(),
        Text => json.meant()?.into(),
        Bool => match json {
            Json::Bool(value) => value.to_string(),
            _ => json.digits().filter(|word| ["true", "false"].contains(word))?.into(),
        },
        Millis => json.time(1_000_000)?.to_string(),
        Nanos => json.time(1)?.to_string(),
        Either => json.time(1_000_000).or_else(|| json.time(1))?.to_string(),
    })
}

fn text(value: Option<impl Display>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn units(price: Option<Price>) -> Option<String> {
    text(price.map(Price::scaled))
}

fn lots(size: Option<Lots>) -> Option<String> {
    text(size.map(Lots::get))
}

fn nanos(time: Option<UnixNanos>) -> Option<String> {
    text(time.map(|time| time.as_nanos()))
}

pub(super) fn wire_objects(bytes: &[u8], json: Option<&Json>) {
    instruments(bytes, json);
    stats(bytes, json);
    orders(bytes, json);
    balances(bytes, json);
    positions(bytes, json);
    refused_rightly(&CandleUpdate::parse(bytes), json);
    refused_rightly(&Depth::parse(bytes), json);
    refused_rightly(&PositionUpdate::parse(bytes), json);
    let modes = MarginModes::parse(bytes);
    refused_rightly(&modes, json);
    let leverages = CrossLeverages::parse(bytes);
    refused_rightly(&leverages, json);
    if let Some(Json::Object(pairs)) = json {
        if let Ok(modes) = modes {
            assert_eq!(modes.iter().count(), pairs.len());
        }
        if let Ok(leverages) = leverages {
            assert_eq!(leverages.iter().count(), pairs.len());
        }
    }
}

fn instruments(bytes: &[u8], json: Option<&Json>) {
    compare(bytes, json, MarkPrice::parse(bytes), |mark| {
        vec![
            ("symbol", Symbol, false, text(mark.and_then(|m| m.symbol))),
            ("markPrice", Number, true, text(mark.map(|m| m.mark_price))),
            ("indexPrice", Number, true, text(mark.map(|m| m.index_price))),
            (
                "granularity",
                Count,
                false,
                text(mark.and_then(|m| m.interval).map(|i| i.as_millis())),
            ),
            ("timestamp", Millis, false, nanos(mark.and_then(|m| m.ts_event))),
        ]
    });
    compare(bytes, json, FundingRate::parse(bytes), |rate| {
        vec![
            ("symbol", Symbol, false, text(rate.and_then(|r| r.symbol))),
            ("fundingRate", Number, true, text(rate.map(|r| r.funding_rate))),
            (
                "granularity",
                Count,
                false,
                text(rate.and_then(|r| r.interval).map(|i| i.as_millis())),
            ),
            ("period", Whole, false, text(rate.and_then(|r| r.period))),
            ("timestamp", Millis, false, nanos(rate.and_then(|r| r.ts_event))),
        ]
    });
    compare(bytes, json, FundingSettlement::parse(bytes), |settlement| {
        vec![
            ("symbol", Symbol, false, text(settlement.and_then(|s| s.symbol))),
            ("fundingTime", Millis, false, nanos(settlement.and_then(|s| s.funding_time))),
            ("fundingRate", Number, true, text(settlement.map(|s| s.funding_rate))),
            ("timestamp", Millis, false, nanos(settlement.and_then(|s| s.ts_event))),
        ]
    });
}

fn stats(bytes: &[u8], json: Option<&Json>) {
    compare(bytes, json, Stats24h::parse(bytes), |stats| {
        let number = |key, of: fn(&Stats24h) -> Option<Decimal>| {
            (key, Number, false, text(stats.and_then(of)))
        };
        vec![
            number("highPrice", |s| s.high_price),
            number("lastPrice", |s| s.last_price),
            number("lowPrice", |s| s.low_price),
            number("price24HoursBefore", |s| s.price_24h_before),
            number("priceChg", |s| s.price_change),
            number("priceChgPct", |s| s.price_change_ratio),
            number("turnover", |s| s.turnover),
            number("volume", |s| s.volume),
            number("fundingRate", |s| s.funding_rate),
            ("symbol", Symbol, false, text(stats.and_then(|s| s.symbol))),
            ("ts", Nanos, false, nanos(stats.and_then(|s| s.ts_event))),
        ]
    });
}

/// Words are compared where they are known, and asked for where they are not.
fn orders(bytes: &[u8], json: Option<&Json>) {
    // A name with a blank means the same; what both say at a time is another test's.
    if json.is_some_and(|json| !json.all("oldSize ").is_empty()) {
        return;
    }
    let word = |key: &'static str, needed, said: Option<&str>| {
        let truth = json.and_then(|json| reference(json, key, Text, needed).flatten());
        let is_known = said.is_some_and(|said| said != "other");
        (key, Text, needed, if is_known && truth.is_some() { text(said) } else { truth })
    };
    compare(bytes, json, OrderUpdate::parse(bytes), |order| {
        let size = |key, of: fn(&OrderUpdate<'_>) -> Option<Lots>| {
            (key, Size, false, lots(order.and_then(of)))
        };
        vec![
            ("symbol", Symbol, true, text(order.map(|o| o.symbol))),
            ("orderId", Text, true, text(order.map(|o| o.order_id))),
            ("tradeId", Text, false, text(order.and_then(|o| o.trade_id))),
            ("clientOid", Text, false, text(order.and_then(|o| o.client_oid))),
            size("canceledSize", |o| o.canceled_size),
            size("size", |o| o.size),
            size("filledSize", |o| o.filled_size),
            size("matchSize", |o| o.match_size),
            size("remainSize", |o| o.remain_size),
            size("oldSize", |o| o.old_size),
            size("allCanceledSize", |o| o.all_canceled_size),
            ("price", Form::Price, false, units(order.and_then(|o| o.price))),
            ("matchPrice", Form::Price, false, units(order.and_then(|o| o.match_price))),
            ("orderTime", Either, false, nanos(order.and_then(|o| o.order_time))),
            ("ts", Nanos, false, nanos(order.and_then(|o| o.ts_event))),
            word("side", true, order.map(|o| o.side.as_str())),
            word("orderType", false, order.and_then(|o| o.order_type).map(|w| w.as_str())),
            word("positionSide", false, order.and_then(|o| o.position_side).map(|w| w.as_str())),
            word("liquidity", false, order.and_then(|o| o.liquidity).map(|w| w.as_str())),
            word("marginMode", false, order.and_then(|o| o.margin_mode).map(|w| w.as_str())),
            word("type", true, order.map(|o| o.change.as_str())),
            word("feeType", false, order.and_then(|o| o.fee_type).map(|w| w.as_str())),
            word("tradeType", false, None),
            word("status", true, order.map(|o| o.status.as_str())),
        ]
    });
    compare(bytes, json, StopOrderUpdate::parse(bytes), |order| {
        vec![
            ("symbol", Symbol, true, text(order.map(|o| o.symbol))),
            ("orderId", Text, true, text(order.map(|o| o.order_id))),
            ("orderPrice", Form::Price, false, units(order.and_then(|o| o.order_price))),
            ("stopPrice", Form::Price, false, units(order.and_then(|o| o.stop_price))),
            ("size", Size, false, lots(order.and_then(|o| o.size))),
            ("createdAt", Millis, false, nanos(order.and_then(|o| o.created_at))),
            ("ts", Nanos, false, nanos(order.and_then(|o| o.ts_event))),
            ("triggerSuccess", Bool, false, text(order.and_then(|o| o.trigger_success))),
            ("error", Text, false, text(order.and_then(|o| o.error))),
            word("side", true, order.map(|o| o.side.as_str())),
            word("type", true, None),
            word("stop", false, order.and_then(|o| o.stop).map(|w| w.as_str())),
            word("stopPriceType", false, order.and_then(|o| o.stop_price_type).map(|w| w.as_str())),
            word("marginMode", false, order.and_then(|o| o.margin_mode).map(|w| w.as_str())),
            word("positionSide", false, order.and_then(|o| o.position_side).map(|w| w.as_str())),
        ]
    });
}

fn balances(bytes: &[u8], json: Option<&Json>) {
    compare(bytes, json, WalletUpdate::parse(bytes), |wallet| {
        let amount = |key, of: fn(&WalletUpdate<'_>) -> Option<Decimal>| {
            (key, Number, false, text(wallet.and_then(of)))
        };
        vec![
            amount("crossPosMargin", |w| w.cross_pos_margin),
            amount("isolatedOrderMargin", |w| w.isolated_order_margin),
            amount("holdBalance", |w| w.hold_balance),
            amount("equity", |w| w.equity),
            amount("isolatedPosMargin", |w| w.isolated_pos_margin),
            amount("maxWithdrawAmount", |w| w.max_withdraw_amount),
            amount("walletBalance", |w| w.wallet_balance),
            amount("isolatedFundingFeeMargin", |w| w.isolated_funding_fee_margin),
            amount("crossUnPnl", |w| w.cross_unrealised_pnl),
            amount("totalCrossMargin", |w| w.total_cross_margin),
            amount("isolatedUnPnl", |w| w.isolated_unrealised_pnl),
            amount("crossOrderMargin", |w| w.cross_order_margin),
            ("availableBalance", Number, true, text(wallet.map(|w| w.available_balance))),
            ("version", Count, false, text(wallet.and_then(|w| w.version))),
            ("currency", Text, true, text(wallet.map(|w| w.currency))),
            ("timestamp", Millis, false, nanos(wallet.and_then(|w| w.ts_event))),
        ]
    });
    compare(bytes, json, BalanceUpdate::parse(bytes), |balance| {
        let amount = |key, of: fn(&BalanceUpdate<'_>) -> Option<Decimal>| {
            (key, Number, false, text(balance.and_then(of)))
        };
        vec![
            amount("orderMargin", |b| b.order_margin),
            amount("availableBalance", |b| b.available_balance),
            amount("holdBalance", |b| b.hold_balance),
            amount("withdrawHold", |b| b.withdraw_hold),
            ("currency", Text, true, text(balance.map(|b| b.currency))),
            ("timestamp", Millis, false, nanos(balance.and_then(|b| b.ts_event))),
        ]
    });
}

fn positions(bytes: &[u8], json: Option<&Json>) {
    compare(bytes, json, PositionSettlement::parse(bytes), |settlement| {
        vec![
            ("symbol", Symbol, false, text(settlement.and_then(|s| s.symbol))),
            ("markPrice", Number, true, text(settlement.map(|s| s.mark_price))),
            ("qty", Whole, true, text(settlement.map(|s| s.qty))),
            ("settleCurrency", Text, false, text(settlement.and_then(|s| s.settle_currency))),
            ("fundingTime", Millis, false, nanos(settlement.and_then(|s| s.funding_time))),
            ("fundingRate", Number, true, text(settlement.map(|s| s.funding_rate))),
            ("fundingFee", Number, true, text(settlement.map(|s| s.funding_fee))),
            ("ts", Nanos, false, nanos(settlement.and_then(|s| s.ts_event))),
            word_of(json, "positionSide"),
            word_of(json, "marginMode"),
        ]
    });
    compare(bytes, json, RiskLimitUpdate::parse(bytes), |update| {
        vec![
            ("symbol", Symbol, false, text(update.and_then(|u| u.symbol))),
            ("msg", Text, false, text(update.and_then(|u| u.msg))),
            ("success", Bool, true, text(update.map(|u| u.success))),
            ("riskLimitLevel", Whole, false, text(update.and_then(|u| u.risk_limit_level))),
        ]
    });
}

/// A word that is compared elsewhere; that it is one is not.
fn word_of(json: Option<&Json>, key: &'static str) -> Row<'static> {
    (key, Text, false, json.and_then(|json| reference(json, key, Text, false).flatten()))
}
