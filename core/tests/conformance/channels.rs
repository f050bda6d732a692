//! Frames of the channels whose data are objects of many keys: what is decoded is put back under the keys of
//! the wire, and has to be all that stands there.

use std::collections::BTreeMap;
use std::fmt::Display;

use kucoin_futures_proto::wire::{OrderUpdate, PositionUpdate, StopOrderUpdate, WalletUpdate};
use kucoin_futures_proto::{Channel, Decimal, Message, UnixNanos};
use serde_json::value::RawValue;

use crate::common::*;
use crate::folder::{Folder, Group, values};

/// What stands under each key, as text: numbers in their shortest form, also those in strings.
type Said = BTreeMap<&'static str, String>;

pub(crate) fn instruments_and_announcements(folder: &Folder) {
    for text in lines(folder, Group::Instrument) {
        let mut said = Said::new();
        let topic = topic(&text);
        let of_topic = |symbol: &Option<kucoin_futures_proto::Symbol>| {
            assert!(topic.ends_with(symbol.unwrap().as_str()), "{topic}");
        };
        match decoded(&text) {
            Message::MarkPrice(mark) => {
                of_topic(&mark.symbol);
                put(&mut said, "markPrice", Some(mark.mark_price));
                put(&mut said, "indexPrice", Some(mark.index_price));
                put(&mut said, "granularity", mark.interval.map(|i| i.as_millis()));
                put(&mut said, "timestamp", in_millis(mark.ts_event));
            }
            Message::FundingRate(rate) => {
                of_topic(&rate.symbol);
                put(&mut said, "fundingRate", Some(rate.funding_rate));
                put(&mut said, "period", rate.period);
                put(&mut said, "granularity", rate.interval.map(|i| i.as_millis()));
                put(&mut said, "timestamp", in_millis(rate.ts_event));
            }
            Message::FundingBegin(settlement) | Message::FundingEnd(settlement) => {
                put(&mut said, "symbol", settlement.symbol);
                put(&mut said, "fundingTime", in_millis(settlement.funding_time));
                put(&mut said, "fundingRate", Some(settlement.funding_rate));
                put(&mut said, "timestamp", in_millis(settlement.ts_event));
            }
            other => panic!("{other:?}"),
        }
        check(&text, said, &[]);
    }
}

pub(crate) fn figures_of_a_day(folder: &Folder) {
    for text in lines(folder, Group::Stats) {
        let Message::Stats24h(stats) = decoded(&text) else { panic!("{text}") };
        let mut said = Said::new();
        put(&mut said, "highPrice", stats.high_price);
        put(&mut said, "lastPrice", stats.last_price);
        put(&mut said, "lowPrice", stats.low_price);
        put(&mut said, "price24HoursBefore", stats.price_24h_before);
        put(&mut said, "priceChg", stats.price_change);
        put(&mut said, "priceChgPct", stats.price_change_ratio);
        put(&mut said, "symbol", stats.symbol);
        put(&mut said, "ts", in_nanos(stats.ts_event));
        put(&mut said, "turnover", stats.turnover);
        put(&mut said, "volume", stats.volume);
        put(&mut said, "fundingRate", stats.funding_rate);
        check(&text, said, &[]);
    }
}

/// The array by itself: close before high and low.
pub(crate) fn candles(folder: &Folder) {
    for text in lines(folder, Group::Candle) {
        let Message::Candle(candle) = decoded(&text) else { panic!("{text}") };
        assert!(topic(&text).ends_with(candle.interval.unwrap().as_str()));
        let array = data(&text)["candles"].to_string();
        let entries: Vec<String> = serde_json::from_str(&array).unwrap();
        let seconds = candle.start.as_nanos() / 1_000_000_000;
        let mut ours = vec![seconds.to_string()];
        let prices = [candle.open, candle.close, candle.high, candle.low, candle.turnover];
        ours.extend(prices.map(|price| price.to_string()));
        ours.push(candle.volume.to_string());
        assert_eq!(ours, entries.iter().map(|entry| shortest(entry)).collect::<Vec<_>>());
        let mut said = Said::new();
        put(&mut said, "symbol", Some(candle.symbol));
        put(&mut said, "time", in_millis(candle.ts_event));
        check(&text, said, &["candles"]);
        assert!(candle.low <= candle.open && candle.open <= candle.high);
        assert!(candle.low <= candle.close && candle.close <= candle.high);
    }
}

pub(crate) fn orders(folder: &Folder) {
    for text in lines(folder, Group::Order) {
        let said = match decoded(&text) {
            Message::Order(order) => order_said(&order),
            Message::StopOrder(order) => stop_order_said(&order),
            other => panic!("{other:?}"),
        };
        // Not a word about the order: whose it is, and that a stop order is a stop order.
        let is_stop = text.contains("stopOrder");
        check(&text, said, if is_stop { &["orderType"] } else { &["userId"] });
    }
}

fn order_said(order: &OrderUpdate<'_>) -> Said {
    let mut said = Said::new();
    put(&mut said, "symbol", Some(order.symbol));
    put(&mut said, "orderType", order.order_type);
    put(&mut said, "side", Some(order.side));
    put(&mut said, "canceledSize", order.canceled_size);
    put(&mut said, "orderId", Some(order.order_id));
    put(&mut said, "positionSide", order.position_side);
    put(&mut said, "liquidity", order.liquidity);
    put(&mut said, "marginMode", order.margin_mode);
    put(&mut said, "type", Some(order.change));
    put(&mut said, "feeType", order.fee_type);
    put(&mut said, "orderTime", in_nanos(order.order_time));
    put(&mut said, "size", order.size);
    put(&mut said, "filledSize", order.filled_size);
    put(&mut said, "price", order.price);
    put(&mut said, "matchPrice", order.match_price);
    put(&mut said, "matchSize", order.match_size);
    put(&mut said, "remainSize", order.remain_size);
    put(&mut said, "tradeId", order.trade_id);
    put(&mut said, "clientOid", order.client_oid);
    put(&mut said, "tradeType", order.trade_type);
    put(&mut said, "status", Some(order.status));
    put(&mut said, "oldSize", order.old_size);
    put(&mut said, "allCanceledSize", order.all_canceled_size);
    put(&mut said, "ts", in_nanos(order.ts_event));
    said
}

fn stop_order_said(order: &StopOrderUpdate<'_>) -> Said {
    let mut said = Said::new();
    put(&mut said, "createdAt", in_millis(order.created_at));
    put(&mut said, "marginMode", order.margin_mode);
    put(&mut said, "orderId", Some(order.order_id));
    put(&mut said, "orderPrice", order.order_price);
    put(&mut said, "side", Some(order.side));
    put(&mut said, "size", order.size);
    put(&mut said, "stop", order.stop);
    put(&mut said, "stopPrice", order.stop_price);
    put(&mut said, "stopPriceType", order.stop_price_type);
    put(&mut said, "symbol", Some(order.symbol));
    put(&mut said, "ts", in_nanos(order.ts_event));
    put(&mut said, "type", Some(order.change));
    said
}

pub(crate) fn positions(folder: &Folder) {
    for text in lines(folder, Group::Position) {
        let mut said = Said::new();
        match decoded(&text) {
            Message::Position(position) => said = position_said(&position),
            Message::PositionSettlement(settlement) => {
                assert!(topic(&text).ends_with(settlement.symbol.unwrap().as_str()));
                put(&mut said, "markPrice", Some(settlement.mark_price));
                put(&mut said, "qty", Some(settlement.qty));
                put(&mut said, "positionSide", settlement.position_side);
                put(&mut said, "marginMode", settlement.margin_mode);
                put(&mut said, "settleCurrency", settlement.settle_currency);
                put(&mut said, "fundingTime", in_millis(settlement.funding_time));
                put(&mut said, "fundingRate", Some(settlement.funding_rate));
                put(&mut said, "fundingFee", Some(settlement.funding_fee));
                put(&mut said, "ts", in_nanos(settlement.ts_event));
            }
            Message::RiskLimit(update) => {
                put(&mut said, "msg", update.msg);
                put(&mut said, "success", Some(update.success));
                put(&mut said, "riskLimitLevel", update.risk_limit_level);
            }
            other => panic!("{other:?}"),
        }
        check(&text, said, &[]);
    }
}

fn position_said(position: &PositionUpdate<'_>) -> Said {
    let mut said = Said::new();
    for (key, number) in [
        ("maintMarginReq", position.maint_margin_req),
        ("riskLimit", position.risk_limit),
        ("realLeverage", position.real_leverage),
        ("delevPercentage", position.deleverage_percentage),
        ("currentCost", position.current_cost),
        ("currentComm", position.current_comm),
        ("unrealisedCost", position.unrealised_cost),
        ("realisedCost", position.realised_cost),
        ("markPrice", position.mark_price),
        ("markValue", position.mark_value),
        ("posCost", position.pos_cost),
        ("posCross", position.pos_cross),
        ("posInit", position.pos_init),
        ("posComm", position.pos_comm),
        ("posLoss", position.pos_loss),
        ("posMargin", position.pos_margin),
        ("posFunding", position.pos_funding),
        ("posMaint", position.pos_maint),
        ("maintMargin", position.maint_margin),
        ("avgEntryPrice", position.avg_entry_price),
        ("liquidationPrice", position.liquidation_price),
        ("bankruptPrice", position.bankrupt_price),
        ("realisedGrossCost", position.realised_gross_cost),
        ("realisedGrossPnl", position.realised_gross_pnl),
        ("realisedPnl", position.realised_pnl),
        ("unrealisedPnl", position.unrealised_pnl),
        ("unrealisedPnlPcnt", position.unrealised_pnl_ratio),
        ("unrealisedRoePcnt", position.unrealised_roe_ratio),
        ("leverage", position.leverage),
        ("tax", position.tax),
        ("dealComm", position.deal_comm),
        ("fundingFee", position.funding_fee),
        ("aggRate", position.agg_rate),
    ] {
        put(&mut said, key, number);
    }
    put(&mut said, "symbol", position.symbol);
    put(&mut said, "crossMode", position.cross_mode);
    put(&mut said, "openingTimestamp", in_millis(position.opening_time));
    put(&mut said, "autoDeposit", position.auto_deposit);
    put(&mut said, "currentTimestamp", in_millis(position.ts_event));
    put(&mut said, "currentQty", position.current_qty);
    put(&mut said, "isOpen", position.is_open);
    put(&mut said, "settleCurrency", position.settle_currency);
    put(&mut said, "changeReason", position.change_reason);
    put(&mut said, "riskLimitLevel", position.risk_limit_level);
    put(&mut said, "marginMode", position.margin_mode);
    put(&mut said, "positionSide", position.position_side);
    said
}

pub(crate) fn wallets(folder: &Folder) {
    for text in lines(folder, Group::Wallet) {
        let Message::Wallet(wallet) = decoded(&text) else { panic!("{text}") };
        check(&text, wallet_said(&wallet), &[]);
    }
}

fn wallet_said(wallet: &WalletUpdate<'_>) -> Said {
    let mut said = Said::new();
    for (key, amount) in [
        ("crossPosMargin", wallet.cross_pos_margin),
        ("isolatedOrderMargin", wallet.isolated_order_margin),
        ("holdBalance", wallet.hold_balance),
        ("equity", wallet.equity),
        ("availableBalance", Some(wallet.available_balance)),
        ("isolatedPosMargin", wallet.isolated_pos_margin),
        ("maxWithdrawAmount", wallet.max_withdraw_amount),
        ("walletBalance", wallet.wallet_balance),
        ("isolatedFundingFeeMargin", wallet.isolated_funding_fee_margin),
        ("crossUnPnl", wallet.cross_unrealised_pnl),
        ("totalCrossMargin", wallet.total_cross_margin),
        ("isolatedUnPnl", wallet.isolated_unrealised_pnl),
        ("crossOrderMargin", wallet.cross_order_margin),
    ] {
        put(&mut said, key, amount);
    }
    put(&mut said, "version", wallet.version);
    put(&mut said, "currency", Some(wallet.currency));
    put(&mut said, "timestamp", in_millis(wallet.ts_event));
    said
}

pub(crate) fn settings_of_contracts(folder: &Folder) {
    for text in lines(folder, Group::UserConfig) {
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let truth = json["data"].as_object().unwrap();
        let ours: Vec<(String, String)> = match decoded(&text) {
            Message::MarginModes(modes) => {
                modes.iter().map(|(symbol, mode)| (symbol.to_string(), mode.to_string())).collect()
            }
            Message::CrossLeverages(leverages) => leverages
                .iter()
                .map(|(symbol, leverage)| (symbol.to_string(), leverage.to_string()))
                .collect(),
            other => panic!("{other:?}"),
        };
        let means = |value: &serde_json::Value| match &value["leverage"] {
            serde_json::Value::Null => value.as_str().unwrap().to_owned(),
            leverage => shortest(leverage.to_string().trim_matches('"')),
        };
        let truth = truth.iter().map(|(symbol, value)| (symbol.clone(), means(value)));
        assert_eq!(ours, truth.collect::<Vec<_>>(), "{text}");
    }
}

/// The spot topics of the same host are none of ours.
pub(crate) fn frames_of_spot_are_of_no_channel(folder: &Folder) {
    for text in lines(folder, Group::Spot) {
        let error = said_by_frame(&text).map(|message| format!("{message:?}")).unwrap_err();
        assert_eq!(error, kucoin_futures_proto::WireError::Unexpected, "{text}");
    }
}

/// Every frame of a group; each is decoded through a client, too.
fn lines(folder: &Folder, group: Group) -> Vec<String> {
    let files = folder.of(group);
    let lines = files.iter().flat_map(|(name, text)| values(name, text));
    lines.map(|line| line.trim().to_owned()).collect()
}

/// What a frame says, by itself and through a client that wants its topic.
fn decoded(text: &str) -> Message<'_> {
    let wanted = channel(&topic(text));
    said(wanted, text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The channel with this topic.
fn channel(topic: &str) -> Channel {
    use kucoin_futures_proto::{ChannelKey, ChannelKind};
    let key = match topic.split_once(':') {
        None => ChannelKey::All,
        Some((_, key)) => match key.split_once('_') {
            None => ChannelKey::Symbol(key.parse().unwrap()),
            Some((symbol, interval)) => {
                ChannelKey::Candle(symbol.parse().unwrap(), interval.parse().unwrap())
            }
        },
    };
    let all = ChannelKind::ALL.iter().filter_map(|&kind| Channel::new(kind, key));
    all.into_iter().find(|channel| channel.to_string() == topic).unwrap()
}

fn topic(text: &str) -> String {
    crate::folder::json(text)["topic"].as_str().unwrap().to_owned()
}

fn put(said: &mut Said, key: &'static str, value: Option<impl Display>) {
    if let Some(value) = value {
        assert_eq!(said.insert(key, value.to_string()), None);
    }
}

fn in_millis(time: Option<UnixNanos>) -> Option<u64> {
    time.map(|time| time.as_millis())
}

fn in_nanos(time: Option<UnixNanos>) -> Option<u64> {
    time.map(|time| time.as_nanos())
}

/// What stands there is what was said, and nothing else, but for these keys.
fn check(text: &str, said: Said, others: &[&str]) {
    let truth = data(text).into_iter().filter(|(key, _)| !others.contains(&key.as_str()));
    let truth = truth.map(|(key, raw)| (key, shortest(raw.get().trim_matches('"'))));
    let said = said.into_iter().map(|(key, value)| (key.to_owned(), value));
    assert_eq!(said.collect::<BTreeMap<_, _>>(), truth.collect(), "{text}");
}

/// The values of `data` as they stand: a general parser would make floats of them.
fn data(text: &str) -> BTreeMap<String, Box<RawValue>> {
    let frame: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text).unwrap();
    serde_json::from_str(frame["data"].get()).unwrap()
}

/// A number in its shortest form; any other text as it stands.
fn shortest(text: &str) -> String {
    text.parse::<Decimal>().map_or_else(|_| text.to_owned(), |number| number.to_string())
}
