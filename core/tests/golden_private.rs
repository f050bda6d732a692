//! Private channels: payloads of our own in the documented shapes, read field by field in their units, each
//! by its frame alone and through a whole client.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod common;

use common::*;
use kucoin_futures_proto::wire::{
    BalanceUpdate, ChangeReason, FeeType, Liquidity, MarginMode, OrderChange, OrderSide,
    OrderStatus, OrderType, OrderUpdate, PositionSettlement, PositionSide, PositionUpdate,
    RiskLimitUpdate, StopDirection, StopOrderChange, StopOrderUpdate, StopPriceType, Text,
    TradeType, WalletUpdate,
};
use kucoin_futures_proto::{Channel, Decimal, Lots, Message, Price, Symbol, UnixNanos, WireError};

fn link() -> Symbol {
    LINK.parse().unwrap()
}

fn decimal(text: &str) -> Option<Decimal> {
    Some(text.parse().unwrap())
}

fn price(text: &str) -> Option<Price> {
    Some(text.parse().unwrap())
}

#[allow(clippy::unnecessary_wraps, reason = "fields need not be there")]
fn lots(lots: u64) -> Option<Lots> {
    Some(Lots::new(lots))
}

fn millis(ms: u64) -> Option<UnixNanos> {
    UnixNanos::from_millis(ms)
}

#[allow(clippy::unnecessary_wraps, reason = "fields need not be there")]
fn nanos(ns: u64) -> Option<UnixNanos> {
    Some(UnixNanos::from_nanos(ns))
}

fn plain(text: Option<Text<'_>>) -> Option<&str> {
    text.and_then(Text::plain)
}

/// The function that reads a message of this kind through this channel.
macro_rules! reads {
    ($name:ident, $channel:expr, $variant:ident, $update:ty) => {
        fn $name(text: &str) -> $update {
            match said($channel, text).unwrap() {
                Message::$variant(update) => update,
                other => panic!("{other:?}"),
            }
        }
    };
}

reads!(order, Channel::orders(), Order, OrderUpdate<'_>);
reads!(order_of_link, Channel::orders_of(link()), Order, OrderUpdate<'_>);
reads!(stop_order, Channel::stop_orders(), StopOrder, StopOrderUpdate<'_>);
reads!(wallet, Channel::wallet(), Wallet, Box<WalletUpdate<'_>>);
reads!(balance, Channel::wallet(), Balance, BalanceUpdate<'_>);
reads!(position, Channel::positions(), Position, Box<PositionUpdate<'_>>);
reads!(position_of_link, Channel::positions_of(link()), Position, Box<PositionUpdate<'_>>);
reads!(settlement, Channel::positions(), PositionSettlement, PositionSettlement<'_>);
reads!(risk_limit, Channel::positions(), RiskLimit, RiskLimitUpdate<'_>);

fn error_of(wanted: Channel, text: &str) -> WireError {
    said(wanted, text).map(|message| format!("{message:?}")).unwrap_err()
}

const MATCH: &str = r#"{"topic":"/contractMarket/tradeOrders","type":"message","subject":"orderChange","userId":"69a1b2c3d4e5f60001020304","channelType":"private","data":{"symbol":"LINKUSDTM","orderType":"limit","side":"sell","canceledSize":"0","orderId":"361100000000000017","positionSide":"BOTH","liquidity":"taker","marginMode":"CROSS","type":"match","feeType":"takerFee","orderTime":1791500005935374001,"size":"12","filledSize":"5","price":"14.2","matchPrice":"14.205","matchSize":"5","remainSize":"7","tradeId":"1655400451001","clientOid":"my-order-17","tradeType":"trade","status":"match","ts":1791500005974000000}}"#;

#[test]
fn a_fill_is_read_in_its_units() {
    let said = order(MATCH);
    assert_eq!((said.symbol, said.side), (link(), OrderSide::Sell));
    assert_eq!((said.order_type, said.change), (Some(OrderType::Limit), OrderChange::Match));
    assert_eq!(said.status, OrderStatus::Match, "it took");
    assert_eq!(said.order_id.plain(), Some("361100000000000017"));
    assert_eq!(plain(said.client_oid), Some("my-order-17"));
    assert_eq!(plain(said.trade_id), Some("1655400451001"), "as `execution` has it");
    assert_eq!((said.price, said.match_price), (price("14.2"), price("14.205")));
    assert_eq!((said.size, said.filled_size, said.match_size), (lots(12), lots(5), lots(5)));
    assert_eq!((said.remain_size, said.canceled_size), (lots(7), lots(0)));
    assert_eq!((said.old_size, said.all_canceled_size), (None, None));
    assert_eq!((said.liquidity, said.fee_type), (Some(Liquidity::Taker), Some(FeeType::Taker)));
    assert_eq!(said.margin_mode, Some(MarginMode::Cross));
    assert_eq!(said.position_side, Some(PositionSide::Both));
    assert_eq!(said.trade_type, Some(TradeType::Trade));
    assert_eq!(said.order_time, nanos(1_791_500_005_935_374_001));
    assert_eq!(said.ts_event, nanos(1_791_500_005_974_000_000));
    assert_eq!(said.fill(), Some((decimal("14.205").unwrap(), Lots::new(5))));
    assert!(!said.is_over());
}

/// Empty strings where there is nothing to say, no kind of order, and status open.
#[test]
fn a_fill_of_a_maker_is_status_open_and_what_does_not_apply_is_empty() {
    let maker = edited(MATCH, "\"status\":\"match\"", "\"status\":\"open\"");
    let maker = edited(&maker, "\"taker\"", "\"maker\"");
    let maker = edited(&maker, "\"takerFee\"", "\"makerFee\"");
    let said = order(&maker);
    assert_eq!((said.status, said.liquidity), (OrderStatus::Open, Some(Liquidity::Maker)));
    assert_eq!((said.fee_type, said.fill().is_some()), (Some(FeeType::Maker), true));

    let mut open = maker.clone();
    for (from, to) in [
        ("\"type\":\"match\"", "\"type\":\"open\""),
        ("\"orderType\":\"limit\"", "\"orderType\":\"\""),
        ("\"matchPrice\":\"14.205\"", "\"matchPrice\":\"\""),
        ("\"matchSize\":\"5\"", "\"matchSize\":\"\""),
        ("\"tradeId\":\"1655400451001\"", "\"tradeId\":\"\""),
        ("\"maker\"", "\"\""),
        ("\"makerFee\"", "null"),
        ("\"clientOid\":\"my-order-17\",", ""),
        ("\"positionSide\":\"BOTH\",", ""),
        ("\"marginMode\":\"CROSS\",", ""),
        ("\"tradeType\":\"trade\",", ""),
        ("\"price\":\"14.2\"", "\"price\":\"0\""),
    ] {
        open = edited(&open, from, to);
    }
    let said = order(&open);
    assert_eq!((said.change, said.order_type, said.fill()), (OrderChange::Open, None, None));
    assert_eq!((said.match_price, said.match_size, said.liquidity), (None, None, None));
    assert_eq!((plain(said.trade_id), plain(said.client_oid)), (None, None));
    assert_eq!((said.fee_type, said.position_side, said.margin_mode), (None, None, None));
    assert_eq!((said.trade_type, said.price), (None, price("0")), "a market order");
}

#[test]
fn an_order_of_one_contract_is_the_same_under_its_topic_and_under_that_of_all() {
    let topic = edited(MATCH, "tradeOrders", "tradeOrders:LINKUSDTM");
    let of_link = edited(&topic, "orderChange", "symbolOrderChange");
    assert_eq!(order_of_link(&of_link), order(MATCH));
    assert_eq!(order(&of_link), order(MATCH), "pushed to those who asked for all");
    let other = edited(&of_link, "\"symbol\":\"LINK", "\"symbol\":\"AVAX");
    let mismatch = WireError::Mismatch { field: "symbol" };
    assert_eq!(error_of(Channel::orders_of(link()), &other), mismatch);
}

/// Which subject stands under which topic is documented, and has never been seen: either will do.
#[test]
fn both_subjects_of_orders_are_taken_under_both_topics() {
    let own_topic = edited(MATCH, "/tradeOrders\"", "/tradeOrders:LINKUSDTM\"");
    let own_subject = |text: &str| edited(text, "orderChange", "symbolOrderChange");
    assert_eq!(order(&own_subject(MATCH)), order(MATCH));
    assert_eq!(order_of_link(&own_topic), order(MATCH));
    assert_eq!(order_of_link(&own_subject(&own_topic)), order(MATCH));
    let other = edited(MATCH, "orderChange", "otherOrderChange");
    assert!(matches!(said(Channel::orders(), &other), Ok(Message::Unknown(_))));
}

#[test]
fn an_update_says_what_the_size_was_also_under_a_name_with_a_blank() {
    let update = edited(MATCH, "\"type\":\"match\"", "\"type\":\"update\"");
    for name in ["oldSize", "oldSize "] {
        let text = edited(&update, "\"size\":\"12\"", &format!("\"{name}\":\"20\",\"size\":12"));
        let said = order(&text);
        assert_eq!((said.change, said.old_size), (OrderChange::Update, lots(20)), "{name:?}");
        assert_eq!((said.size, said.fill()), (lots(12), None), "a size may be a number");
    }
}

#[test]
fn an_order_ends_filled_or_canceled() {
    for (word, change) in [("filled", OrderChange::Filled), ("canceled", OrderChange::Canceled)] {
        let text = edited(MATCH, "\"type\":\"match\"", &format!("\"type\":\"{word}\""));
        let text = edited(&text, "\"status\":\"match\"", "\"status\":\"done\"");
        let text = edited(&text, "\"canceledSize\":\"0\"", "\"allCanceledSize\":\"7\"");
        let said = order(&text);
        assert_eq!((said.change, said.status, said.is_over()), (change, OrderStatus::Done, true));
        assert_eq!((said.canceled_size, said.all_canceled_size), (None, lots(7)));
    }
}

/// Documented in milliseconds, captured in nanoseconds.
#[test]
fn the_time_of_an_order_is_taken_in_either_unit() {
    let text = edited(MATCH, "1791500005935374001", "1791500005935");
    assert_eq!(order(&text).order_time, millis(1_791_500_005_935));
    for odd in ["null", "\"\"", "\"x\"", "5", "1791500005935.5"] {
        let text = edited(MATCH, "1791500005935374001", odd);
        assert_eq!(order(&text).order_time, None, "{odd}");
    }
}

#[test]
fn words_that_are_new_are_other() {
    let words = [
        ("\"side\":\"sell\"", "\"side\":\"both\""),
        ("\"orderType\":\"limit\"", "\"orderType\":\"iceberg\""),
        ("\"type\":\"match\"", "\"type\":\"amended\""),
        ("\"status\":\"match\"", "\"status\":\"paused\""),
        ("\"taker\"", "\"giver\""),
        ("\"takerFee\"", "\"noFee\""),
        ("\"CROSS\"", "\"cross\""),
        ("\"BOTH\"", "\"NONE\""),
        ("\"tradeType\":\"trade\"", "\"tradeType\":\"gift\""),
    ];
    let text = words.iter().fold(MATCH.to_owned(), |text, (from, to)| edited(&text, from, to));
    let said = order(&text);
    assert_eq!((said.side, said.order_type), (OrderSide::Other, Some(OrderType::Other)));
    assert_eq!((said.change, said.status), (OrderChange::Other, OrderStatus::Other));
    assert_eq!(said.liquidity.zip(said.fee_type), Some((Liquidity::Other, FeeType::Other)));
    assert_eq!(said.margin_mode, Some(MarginMode::Other), "case counts");
    assert_eq!(said.position_side, Some(PositionSide::Other));
    assert_eq!((said.trade_type, said.side.as_str()), (Some(TradeType::Other), "other"));
    for (word, kind) in [("liquid", TradeType::Liquidation), ("adl", TradeType::AutoDeleveraging)] {
        let text = edited(MATCH, "\"tradeType\":\"trade\"", &format!("\"tradeType\":\"{word}\""));
        assert_eq!((order(&text).trade_type, kind.as_str()), (Some(kind), word));
    }
}

#[test]
fn an_order_that_lacks_what_it_needs_says_so() {
    let orders = Channel::orders();
    for (from, field) in [
        ("\"symbol\":", "symbol"),
        ("\"side\":", "side"),
        ("\"orderId\":", "orderId"),
        ("\"status\":", "status"),
    ] {
        let text = edited(MATCH, from, "\"other\":");
        assert_eq!(error_of(orders, &text), WireError::Missing { field });
    }
    let typeless = edited(MATCH, "\"type\":\"match\"", "\"x\":0");
    assert_eq!(error_of(orders, &typeless), WireError::Missing { field: "type" });
    for (from, to, error) in [
        ("\"361100000000000017\"", "361100000000000017", WireError::WrongType { field: "orderId" }),
        (
            "\"filledSize\":\"5\"",
            "\"filledSize\":\"-5\"",
            WireError::Negative { field: "filledSize" },
        ),
        ("\"filledSize\":\"5\"", "\"filledSize\":0.5", WireError::NotWhole { field: "filledSize" }),
        ("\"14.205\"", "\"-14\"", WireError::Negative { field: "matchPrice" }),
        ("\"14.205\"", "1.2E-13", WireError::TooPrecise { field: "matchPrice" }),
        ("LINKUSDTM", "LINK USDTM", WireError::Malformed { field: "symbol" }),
    ] {
        assert_eq!(error_of(orders, &edited(MATCH, from, to)), error, "{to}");
    }
}

const STOP: &str = r#"{"topic":"/contractMarket/advancedOrders","type":"message","data":{"createdAt":1791500004837,"marginMode":"ISOLATED","orderId":"351100000000000012","orderPrice":"13.9","orderType":"stop","side":"buy","size":3,"stop":"down","stopPrice":"14.00","stopPriceType":"MP","symbol":"LINKUSDTM","ts":1791500004843133000,"type":"open"},"subject":"stopOrder","id":"69a1b2c3d4e5f60001020304","userId":"69a1b2c3d4e5f60001020305","channelType":"private"}"#;

#[test]
fn a_stop_order_is_made_in_milliseconds_and_said_in_nanoseconds() {
    let said = stop_order(STOP);
    assert_eq!((said.symbol, said.side, said.size), (link(), OrderSide::Buy, lots(3)));
    assert_eq!(said.order_id.plain(), Some("351100000000000012"));
    assert_eq!((said.order_price, said.stop_price), (price("13.9"), price("14")));
    assert_eq!(said.stop, Some(StopDirection::Down));
    assert_eq!(said.stop_price_type, Some(StopPriceType::Mark));
    assert_eq!(said.created_at, millis(1_791_500_004_837));
    assert_eq!(said.ts_event, nanos(1_791_500_004_843_133_000));
    assert_eq!(said.margin_mode, Some(MarginMode::Isolated));
    assert_eq!((said.change, said.trigger_success), (StopOrderChange::Open, None));
    assert_eq!((said.position_side, plain(said.error)), (None, None));
}

#[test]
fn a_stop_order_may_have_its_size_as_text_no_price_and_an_end() {
    let text = edited(STOP, "\"size\":3", "\"size\":\"3\"");
    let text = edited(&text, "\"orderPrice\":\"13.9\"", "\"orderPrice\":null");
    assert_eq!((stop_order(&text).size, stop_order(&text).order_price), (lots(3), None));
    for (word, change) in [
        ("triggered", StopOrderChange::Triggered),
        ("cancel", StopOrderChange::Canceled),
        ("canceled", StopOrderChange::Canceled),
        ("lost", StopOrderChange::Other),
    ] {
        let ending = format!(
            r#""type":"{word}","triggerSuccess":false,"error":"too \"far\"","positionSide":"LONG""#
        );
        let text = edited(STOP, r#""type":"open""#, &ending);
        let said = stop_order(&text);
        assert_eq!((said.change, said.trigger_success), (change, Some(false)), "{word}");
        assert_eq!(said.error.unwrap().to_string(), "too \"far\"");
        assert_eq!(said.position_side, Some(PositionSide::Long));
    }
    for (word, direction, kind, looks) in [
        ("up", StopDirection::Up, "TP", StopPriceType::Trade),
        ("up", StopDirection::Up, "IP", StopPriceType::Index),
    ] {
        let text = edited(&edited(STOP, "\"down\"", &format!("\"{word}\"")), "MP", kind);
        let said = stop_order(&text);
        assert_eq!((said.stop, said.stop_price_type), (Some(direction), Some(looks)));
    }
}

const WALLET: &str = r#"{"topic":"/contractAccount/wallet","type":"message","subject":"walletBalance.change","id":"69a1b2c3d4e5f60001020304","userId":"69a1b2c3d4e5f60001020305","channelType":"private","data":{"crossPosMargin":"38.5123399962","isolatedOrderMargin":"18.11","holdBalance":"1","equity":"99.931756096","version":"37","availableBalance":"61.4194160998","isolatedPosMargin":"2.5","maxWithdrawAmount":"61.4","walletBalance":"99.944536096","isolatedFundingFeeMargin":"-0.003","crossUnPnl":"-0.01278","totalCrossMargin":"99.93","currency":"USDT","isolatedUnPnl":"0.2","crossOrderMargin":"0","timestamp":"1791500006764"}}"#;

#[test]
fn a_balance_is_text_throughout_also_its_version_and_its_time() {
    let said = wallet(WALLET);
    assert_eq!(said.currency.plain(), Some("USDT"));
    assert_eq!(Some(said.available_balance), decimal("61.4194160998"));
    assert_eq!(said.wallet_balance, decimal("99.944536096"));
    assert_eq!((said.hold_balance, said.equity), (decimal("1"), decimal("99.931756096")));
    assert_eq!(said.max_withdraw_amount, decimal("61.4"));
    assert_eq!(said.cross_pos_margin, decimal("38.5123399962"));
    assert_eq!(said.cross_order_margin, decimal("0"));
    assert_eq!(said.cross_unrealised_pnl, decimal("-0.01278"));
    assert_eq!(said.total_cross_margin, decimal("99.93"));
    assert_eq!(said.isolated_pos_margin, decimal("2.5"));
    assert_eq!(said.isolated_order_margin, decimal("18.11"));
    assert_eq!(said.isolated_unrealised_pnl, decimal("0.2"));
    assert_eq!(said.isolated_funding_fee_margin, decimal("-0.003"));
    assert_eq!((said.version, said.ts_event), (Some(37), millis(1_791_500_006_764)));
}

#[test]
fn a_balance_may_be_in_numbers_and_without_what_came_later() {
    let text = edited(WALLET, "\"version\":\"37\"", "\"version\":37");
    let text = edited(&text, "\"1791500006764\"", "1791500006764");
    let text = edited(&text, "\"-0.01278\"", "-1.278E-2");
    assert_eq!(wallet(&text), wallet(WALLET));
    let older = edited(WALLET, "\"maxWithdrawAmount\":\"61.4\",", "");
    assert_eq!(wallet(&older).max_withdraw_amount, None);
    let without = edited(WALLET, "\"availableBalance\":\"61.4194160998\",", "");
    let missing = WireError::Missing { field: "availableBalance" };
    assert_eq!(error_of(Channel::wallet(), &without), missing);
}

fn old_balance(subject: &str, amounts: &str) -> String {
    format!(
        r#"{{"topic":"/contractAccount/wallet","type":"message","subject":"{subject}","userId":"69a1b2c3d4e5f60001020305","channelType":"private","data":{{{amounts},"currency":"USDT","timestamp":1791500006764}}}}"#
    )
}

#[test]
fn parts_of_a_balance_say_which_part_they_are() {
    let text = old_balance("orderMargin.change", r#""orderMargin":5923.5"#);
    let said = balance(&text);
    assert_eq!((said.order_margin, said.available_balance), (decimal("5923.5"), None));
    assert_eq!((said.currency.plain(), said.ts_event), (Some("USDT"), millis(1_791_500_006_764)));
    let text =
        old_balance("availableBalance.change", r#""availableBalance":59.1,"holdBalance":0E-8"#);
    let said = balance(&text);
    assert_eq!((said.available_balance, said.hold_balance), (decimal("59.1"), decimal("0")));
    let text = old_balance("withdrawHold.change", r#""withdrawHold":"7""#);
    assert_eq!((balance(&text).withdraw_hold, balance(&text).order_margin), (decimal("7"), None));
}

const POSITION: &str = r#"{"topic":"/contract/positionAll","type":"message","data":{"symbol":"LINKUSDTM","maintMarginReq":0.005,"riskLimit":500000,"realLeverage":4.9685590767,"crossMode":false,"delevPercentage":0.10,"openingTimestamp":1791500000097,"autoDeposit":true,"currentTimestamp":1791500061514,"currentQty":-31,"currentCost":-440.355,"currentComm":0.26421300,"unrealisedCost":-440.36,"realisedCost":-0.07210716,"isOpen":true,"markPrice":14.2050,"markValue":-440.355,"posCost":-440.361,"posCross":1.2E-7,"posInit":88.071,"posComm":0.06602004,"posLoss":0E-8,"posMargin":88.40492004,"posFunding":0.01,"posMaint":2.5634627025,"maintMargin":88.55021004,"avgEntryPrice":14.2051,"liquidationPrice":16.9,"bankruptPrice":17.05,"settleCurrency":"USDT","changeReason":"positionChange","riskLimitLevel":2,"realisedGrossCost":-0.1639,"realisedGrossPnl":0.1639,"realisedPnl":0.07210716,"unrealisedPnl":0.14529,"unrealisedPnlPcnt":0.0016,"unrealisedRoePcnt":0.0079,"leverage":5,"marginMode":"ISOLATED","positionSide":"SHORT","tax":0,"dealComm":-0.11,"fundingFee":0.02,"aggRate":0.3},"subject":"position.change","userId":"69a1b2c3d4e5f60001020305","channelType":"private"}"#;

#[test]
fn a_position_is_read_field_by_field() {
    let said = position(POSITION);
    assert_eq!(
        (said.symbol, said.current_qty, said.is_open),
        (Some(link()), Some(-31), Some(true))
    );
    assert_eq!(said.margin_mode, Some(MarginMode::Isolated));
    assert_eq!(said.position_side, Some(PositionSide::Short));
    assert_eq!(said.change_reason, Some(ChangeReason::Position));
    assert_eq!((said.cross_mode, said.auto_deposit), (Some(false), Some(true)));
    assert_eq!(said.opening_time, millis(1_791_500_000_097));
    assert_eq!(said.ts_event, millis(1_791_500_061_514));
    assert_eq!((said.mark_price, said.mark_value), (decimal("14.205"), decimal("-440.355")));
    assert_eq!(said.avg_entry_price, decimal("14.2051"));
    assert_eq!((said.liquidation_price, said.bankrupt_price), (decimal("16.9"), decimal("17.05")));
    assert_eq!((said.leverage, said.real_leverage), (decimal("5"), decimal("4.9685590767")));
    assert_eq!(said.maint_margin_req, decimal("0.005"));
    assert_eq!((said.risk_limit, said.risk_limit_level), (decimal("500000"), Some(2)));
    assert_eq!(said.deleverage_percentage, decimal("0.1"));
    assert_eq!((said.current_cost, said.current_comm), (decimal("-440.355"), decimal("0.264213")));
    assert_eq!(said.unrealised_cost, decimal("-440.36"));
    assert_eq!(said.realised_cost, decimal("-0.07210716"));
    assert_eq!((said.pos_cost, said.pos_init), (decimal("-440.361"), decimal("88.071")));
    assert_eq!((said.pos_cross, said.pos_loss), (decimal("0.00000012"), decimal("0")));
    assert_eq!((said.pos_comm, said.pos_funding), (decimal("0.06602004"), decimal("0.01")));
    assert_eq!(
        (said.pos_margin, said.pos_maint),
        (decimal("88.40492004"), decimal("2.5634627025"))
    );
    assert_eq!(said.maint_margin, decimal("88.55021004"));
    assert_eq!(plain(said.settle_currency), Some("USDT"));
    assert_eq!(said.realised_gross_cost, decimal("-0.1639"));
    assert_eq!(said.realised_gross_pnl, decimal("0.1639"));
    assert_eq!(
        (said.realised_pnl, said.unrealised_pnl),
        (decimal("0.07210716"), decimal("0.14529"))
    );
    assert_eq!(said.unrealised_pnl_ratio, decimal("0.0016"));
    assert_eq!(said.unrealised_roe_ratio, decimal("0.0079"));
    assert_eq!((said.tax, said.deal_comm), (decimal("0"), decimal("-0.11")));
    assert_eq!((said.funding_fee, said.agg_rate), (decimal("0.02"), decimal("0.3")));
}

/// Each number of a position, with nothing in its place, as text, and as something else.
#[test]
fn any_number_of_a_position_may_be_absent_or_text() {
    let json: serde_json::Value = serde_json::from_str(POSITION).unwrap();
    let mut seen = 0;
    for (key, value) in json["data"].as_object().unwrap() {
        if !value.is_number() || key.ends_with("Timestamp") {
            continue;
        }
        // As it stands: the referee writes some numbers in another way.
        let (_, rest) = POSITION.split_once(&format!("\"{key}\":")).unwrap();
        let number = rest.split([',', '}']).next().unwrap();
        let with = |other: &str| {
            let (from, to) = (format!("\"{key}\":{number}"), format!("\"{key}\":{other}"));
            edited(POSITION, &from, &to)
        };
        assert_eq!(position(&with(&format!("\"{number}\""))), position(POSITION), "{key}");
        let [null, empty] = [with("null"), with("\"\"")];
        assert_eq!(position(&null), position(&empty), "{key}");
        assert_ne!(position(&null), position(POSITION), "{key} is read");
        let wrong = error_of(Channel::positions(), &with("[]")).to_string();
        assert!(wrong.contains(&format!("`{key}`")), "{wrong}");
        seen += 1;
    }
    assert_eq!(seen, 35, "numbers of a position");
}

/// About ten fields and no symbol.
#[test]
fn a_mark_price_moves_a_position_whose_symbol_only_the_topic_says() {
    let text = r#"{"topic":"/contract/position:LINKUSDTM","type":"message","subject":"position.change","userId":"69a1b2c3d4e5f60001020305","channelType":"private","data":{"markPrice":14.2100,"markValue":440.51,"maintMargin":88.4,"realLeverage":4.97,"unrealisedPnl":-0.15,"unrealisedRoePcnt":-0.0017,"unrealisedPnlPcnt":-0.0003,"delevPercentage":0.52,"changeReason":"markPriceChange","currentTimestamp":1791500062514,"settleCurrency":"USDT"}}"#;
    for said in [position_of_link(text), position(text)] {
        assert_eq!((said.symbol, said.mark_price), (Some(link()), decimal("14.21")));
        assert_eq!(said.change_reason, Some(ChangeReason::MarkPrice));
        assert_eq!((said.current_qty, said.is_open, said.leverage), (None, None, None));
        assert_eq!(said.unrealised_roe_ratio, decimal("-0.0017"));
        assert_eq!(said.ts_event, millis(1_791_500_062_514));
    }
    let of_all = edited(text, "position:LINKUSDTM", "positionAll");
    assert_eq!(position(&of_all).symbol, None, "nothing says it");
}

/// Some push what is of all positions under the topic of one.
#[test]
fn a_position_is_the_same_under_either_topic() {
    let of_link = edited(POSITION, "positionAll", "position:LINKUSDTM");
    assert_eq!(position(&of_link), position(POSITION));
    assert_eq!(position_of_link(&of_link), position(POSITION));
    let other = edited(&of_link, "\"symbol\":\"LINK", "\"symbol\":\"AVAX");
    let mismatch = WireError::Mismatch { field: "symbol" };
    assert_eq!(error_of(Channel::positions(), &other), mismatch);
    let (mut rig, _) = Rig::carrying(Channel::positions_of(link()));
    assert_eq!(rig.pushed(POSITION), None, "nobody asked for all");
    let (mut rig, _) = Rig::carrying(Channel::positions_of("AVAXUSDTM".parse().unwrap()));
    assert_eq!(rig.pushed(&of_link), None, "nor for this one");
}

#[test]
fn every_reason_to_say_a_position_is_known() {
    for (word, reason) in [
        ("marginChange", ChangeReason::Margin),
        ("liquidation", ChangeReason::Liquidation),
        ("autoAppendMarginStatusChange", ChangeReason::AutoDeposit),
        ("adl", ChangeReason::AutoDeleveraging),
        ("changeRiskLimit", ChangeReason::RiskLimit),
        ("something else", ChangeReason::Other),
    ] {
        let text = edited(POSITION, "positionChange", word);
        assert_eq!(position(&text).change_reason, Some(reason), "{word}");
    }
}

const SETTLEMENT: &str = r#"{"type":"message","topic":"/contract/position:LINKUSDTM","subject":"position.settlement","data":{"markPrice":14.21,"qty":-2,"positionSide":"SHORT","settleCurrency":"USDT","fundingTime":1791504000000,"marginMode":"ISOLATED","fundingFee":-0.00309113,"fundingRate":-2.3e-05,"ts":1791504018495030863}}"#;

#[test]
fn what_funding_has_cost_is_due_in_milliseconds_and_said_in_nanoseconds() {
    let said = settlement(SETTLEMENT);
    assert_eq!((said.symbol, said.qty), (Some(link()), -2));
    assert_eq!(
        (Some(said.mark_price), Some(said.funding_rate)),
        (decimal("14.21"), decimal("-0.000023"))
    );
    assert_eq!(Some(said.funding_fee), decimal("-0.00309113"));
    assert_eq!(said.position_side, Some(PositionSide::Short));
    assert_eq!(said.margin_mode, Some(MarginMode::Isolated));
    assert_eq!(plain(said.settle_currency), Some("USDT"));
    assert_eq!(said.funding_time, millis(1_791_504_000_000));
    assert_eq!(said.ts_event, nanos(1_791_504_018_495_030_863));
    let older = edited(SETTLEMENT, "\"positionSide\":\"SHORT\",", "");
    let older = edited(&older, "\"marginMode\":\"ISOLATED\",", "");
    assert_eq!((settlement(&older).position_side, settlement(&older).margin_mode), (None, None));
}

#[test]
fn a_signed_size_is_whole_however_it_is_written() {
    let wrong = Err(WireError::OutOfRange { field: "qty" });
    for (qty, means) in [
        ("-2.0", Ok(-2)),
        ("\"-2\"", Ok(-2)),
        ("9223372036854775807", Ok(i64::MAX)),
        ("1.2E1", Ok(12)),
        ("0E-8", Ok(0)),
        ("9223372036854775808", wrong),
        ("\"+2\"", wrong),
        ("\"02\"", wrong),
        ("0.5", wrong),
    ] {
        let text = edited(SETTLEMENT, "\"qty\":-2", &format!("\"qty\":{qty}"));
        let said = said(Channel::positions(), &text).map(|message| match message {
            Message::PositionSettlement(said) => said.qty,
            other => panic!("{other:?}"),
        });
        assert_eq!(said, means, "{qty}");
    }
}

#[test]
fn a_risk_limit_was_changed_or_says_why_not() {
    let text = r#"{"type":"message","topic":"/contract/positionAll","subject":"position.adjustRiskLimit","data":{"msg":"not enough","success":false,"riskLimitLevel":9}}"#;
    let said = risk_limit(text);
    assert_eq!((said.success, said.risk_limit_level, said.symbol), (false, Some(9), None));
    assert_eq!(plain(said.msg), Some("not enough"));
    let done =
        edited(text, "\"msg\":\"not enough\",\"success\":false", "\"msg\":\"\",\"success\":true");
    let done = edited(&done, "positionAll", "position:LINKUSDTM");
    let said = risk_limit(&done);
    assert_eq!((said.success, plain(said.msg), said.symbol), (true, None, Some(link())));
    let wrong = edited(text, "false", "0");
    assert_eq!(error_of(Channel::positions(), &wrong), WireError::WrongType { field: "success" });
}

fn user_config(topic: &str, data: &str) -> String {
    format!(
        r#"{{"topic":"/contract/{topic}","type":"message","data":{data},"subject":"user.config","userId":"69a1b2c3d4e5f60001020305","channelType":"private"}}"#
    )
}

/// Two channels share a subject: the topic tells them apart.
#[test]
fn margin_modes_are_by_contract() {
    let modes = |data: &str| {
        let text = user_config("marginMode", data);
        said(Channel::margin_modes(), &text).map(|message| {
            let Message::MarginModes(modes) = message else { panic!("{message:?}") };
            modes
                .iter()
                .map(|(symbol, mode)| format!("{symbol} {mode}"))
                .collect::<Vec<_>>()
                .join(", ")
        })
    };
    assert_eq!(modes(r#"{"LINKUSDTM":"ISOLATED"}"#).unwrap(), "LINKUSDTM ISOLATED");
    let two = modes("{ \"10PEPEUSDTM\" : \"CROSS\" ,\n\"LINK\\u0055SDTM\":\"SHARED\"}").unwrap();
    assert_eq!(two, "10PEPEUSDTM CROSS, LINKUSDTM other");
    assert_eq!(modes("{}").unwrap(), "");
    for (data, error) in [
        (r#"{"LINK USDTM":"CROSS"}"#, WireError::Malformed { field: "symbol" }),
        (r#"{"LINKUSDTM":1}"#, WireError::WrongType { field: "data" }),
        (r#"{"LINKUSDTM":null}"#, WireError::Missing { field: "data" }),
    ] {
        assert_eq!(modes(data), Err(error), "{data}");
    }
}

#[test]
fn leverages_are_by_contract_as_text_or_as_numbers() {
    let leverages = |data: &str| {
        let text = user_config("crossLeverage", data);
        said(Channel::cross_leverages(), &text).map(|message| {
            let Message::CrossLeverages(leverages) = message else { panic!("{message:?}") };
            let each = leverages.iter().map(|(symbol, leverage)| format!("{symbol} {leverage}"));
            each.collect::<Vec<_>>().join(", ")
        })
    };
    for leverage in ["\"8\"", "8", "8.0", "\"8.00\"", "8,\"since\":[1]"] {
        let data = format!(r#"{{"LINKUSDTM":{{"leverage":{leverage}}}}}"#);
        assert_eq!(leverages(&data).unwrap(), "LINKUSDTM 8", "{leverage}");
    }
    let two = r#"{"LINKUSDTM":{"leverage":"2.5"},"AVAXUSDTM":{"leverage":"75"}}"#;
    assert_eq!(leverages(two).unwrap(), "LINKUSDTM 2.5, AVAXUSDTM 75");
    for (data, error) in [
        (r#"{"LINKUSDTM":{}}"#, WireError::Missing { field: "leverage" }),
        (r#"{"LINKUSDTM":"8"}"#, WireError::WrongType { field: "data" }),
        (r#"{"LINKUSDTM":{"leverage":"x"}}"#, WireError::OutOfRange { field: "leverage" }),
        (
            r#"{"LINKUSDTM":{"leverage":8,"leverage":9}}"#,
            WireError::Duplicate { field: "leverage" },
        ),
    ] {
        assert_eq!(leverages(data), Err(error), "{data}");
    }
}

/// New keys come often; one that looks like a known one is none.
#[test]
fn keys_that_are_new_cost_nothing() {
    for text in [MATCH, STOP, WALLET, POSITION, SETTLEMENT] {
        let channel = match () {
            () if text == MATCH => Channel::orders(),
            () if text == STOP => Channel::stop_orders(),
            () if text == WALLET => Channel::wallet(),
            () => Channel::positions(),
        };
        let usual = format!("{:?}", said(channel, text).unwrap());
        for more in [
            r#""data":{"new":null,"#,
            r#""data":{"oldsize":[{"size":"1"}],"#,
            r#""data":{"Symbol":"x","ts ":1,"time":1,"#,
            r#""data":{"\u006eew":"\ud83d\ude00","#,
        ] {
            let text = edited(text, r#""data":{"#, more);
            assert_eq!(format!("{:?}", said(channel, &text).unwrap()), usual, "{text}");
        }
    }
}

/// A subject of another channel says nothing here, and nothing is lost.
#[test]
fn a_private_message_about_something_unknown_comes_as_it_stands() {
    for (channel, text, subject) in [
        (Channel::orders(), MATCH, "orderChange"),
        (Channel::stop_orders(), STOP, "stopOrder"),
        (Channel::wallet(), WALLET, "walletBalance.change"),
        (Channel::positions(), POSITION, "position.change"),
    ] {
        for other in ["user.config", "level2", "something.new"] {
            let text = edited(text, &format!("\"{subject}\""), &format!("\"{other}\""));
            let Message::Unknown(unknown) = said(channel, &text).unwrap() else { panic!() };
            assert_eq!((unknown.channel, plain(unknown.subject)), (channel, Some(other)));
            assert!(text.contains(std::str::from_utf8(unknown.data).unwrap()));
        }
        let none = edited(text, &format!("\"subject\":\"{subject}\""), "\"x\":1");
        let message = said(channel, &none).unwrap();
        let has_one = channel == Channel::orders() || channel == Channel::stop_orders();
        assert_eq!(!matches!(message, Message::Unknown(_)), has_one, "{message:?}");
    }
}
