//! What queries of an account are answered with, field by field, with units. The payloads are of our own making, in the
//! shapes of the documentation and of captures between 2024 and 2026.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod common;

use common::reply::{answered, body, decimal, ms, ns, rows, some, words};
use kucoin_futures_proto::wire::{AccountOverview, Fill, OpenPosition, Order, Page, Side};
use kucoin_futures_proto::{Lots, Message, Query};

#[test]
fn orders_come_in_pages() {
    let data = body(
        r#"{"currentPage":2,"pageSize":50,"totalNum":51,"totalPage":2,"items":[{"id":"358","symbol":"LINKUSDTM",
            "type":"limit","side":"sell","price":"14.5","size":7,"value":"10.15","dealValue":"4.35","dealSize":3,
            "stp":"CN","stop":"up","stopPriceType":"TP","stopTriggered":false,"stopPrice":"14.4",
            "timeInForce":"GTC","postOnly":true,"hidden":false,"iceberg":true,"leverage":"3","forceHold":false,
            "closeOrder":false,"visibleSize":2,"clientOid":"mine-1","remark":null,"tags":"","isActive":true,
            "cancelExist":false,"createdAt":1791500000251,"updatedAt":1791500000252,"endAt":null,
            "orderTime":1791500000250574219,"settleCurrency":"USDT","marginMode":"CROSS","avgDealPrice":"14.5",
            "positionSide":"BOTH","status":"open","reduceOnly":true}]}"#,
    );
    let page = Page::<Order<'_>>::parse(data.as_bytes()).unwrap();
    let numbers = [page.number, page.size, page.total_rows, page.total_pages];
    assert_eq!(numbers, [2, 50, 51, 2].map(Some));
    let order = page.rows.iter().next().unwrap().unwrap();
    assert_eq!(
        (order.side, order.size, order.filled_size),
        (Side::Ask, Lots::new(7), Some(Lots::new(3)))
    );
    let amounts = [
        order.price,
        order.value,
        order.filled_value,
        order.stop_price,
        order.mean_price,
        order.leverage,
    ];
    assert_eq!(amounts, ["14.5", "10.15", "4.35", "14.4", "14.5", "3"].map(some));
    let texts = [
        Some(order.id),
        order.kind,
        order.self_trade_prevention,
        order.stop,
        order.stop_price_kind,
        order.time_in_force,
        order.client_id,
        order.remark,
        order.margin_mode,
        order.position_side,
        order.status,
    ];
    assert_eq!(words(texts), "358 limit CN up TP GTC mine-1 - CROSS BOTH open");
    let yes = [order.post_only, order.iceberg, order.is_active, order.reduce_only];
    let no = [
        order.stop_triggered,
        order.hidden,
        order.force_hold,
        order.close_order,
        order.cancel_exists,
    ];
    assert_eq!((yes, no), ([Some(true); 4], [Some(false); 5]));
    assert_eq!(order.visible_size, Some(Lots::new(2)));
    assert_eq!(
        (order.created, order.updated, order.ended),
        (ms(1_791_500_000_251), ms(1_791_500_000_252), None)
    );
    assert_eq!(order.placed, ns(1_791_500_000_250_574_219), "nanoseconds, to the last");
    assert_eq!(
        (order.symbol.as_str(), order.settle_currency.unwrap().as_str()),
        ("LINKUSDTM", "USDT")
    );
    let empty = body(r#"{"currentPage":1,"pageSize":50,"totalNum":0,"totalPage":0}"#);
    assert_eq!(Page::<Order<'_>>::parse(empty.as_bytes()).unwrap().rows.iter().count(), 0);
}

#[test]
fn fills_have_fees() {
    let data = body(
        r#"[{"symbol":"LINKUSDTM","tradeId":"187","orderId":"359","side":"buy","liquidity":"maker",
            "forceTaker":false,"price":"14.29","size":4,"value":"5.716","openFeePay":"0.0011432",
            "closeFeePay":"0E-8","stop":"","feeRate":"0.0002","fixFee":"0","feeCurrency":"USDT",
            "tradeTime":1791500000250000001,"subTradeType":null,"marginMode":"ISOLATED","openFeeTaxPay":"0.5",
            "closeFeeTaxPay":"0","positionSide":"LONG","settleCurrency":"USDT","displayType":"limit",
            "fee":"-0.0011432","orderType":"limit","tradeType":"trade","createdAt":1791500000263}]"#,
    );
    let fill = rows::<Fill<'_>>(&data)[0].unwrap();
    assert_eq!(
        (fill.symbol.as_str(), fill.side, fill.size),
        ("LINKUSDTM", Side::Bid, Lots::new(4))
    );
    let texts = [
        Some(fill.trade_id),
        Some(fill.order_id),
        fill.liquidity,
        fill.stop,
        fill.sub_trade_kind,
        fill.margin_mode,
        fill.position_side,
        fill.display_kind,
        fill.order_kind,
        fill.trade_kind,
    ];
    assert_eq!(words(texts), "187 359 maker - - ISOLATED LONG limit limit trade");
    let amounts = [
        Some(fill.price),
        fill.value,
        fill.open_fee,
        fill.close_fee,
        fill.fee_rate,
        fill.fixed_fee,
    ];
    assert_eq!(amounts, ["14.29", "5.716", "0.0011432", "0", "0.0002", "0"].map(some));
    let taxes = [fill.open_fee_tax, fill.close_fee_tax, fill.fee];
    assert_eq!(taxes, ["0.5", "0", "-0.0011432"].map(some), "a fee below zero is a rebate");
    assert_eq!((fill.traded, fill.created), (ns(1_791_500_000_250_000_001), ms(1_791_500_000_263)));
    assert_eq!(
        [fill.fee_currency, fill.settle_currency].map(|name| name.unwrap().to_string()),
        ["USDT", "USDT"]
    );
    assert_eq!(fill.forced_taker, Some(false));
}

#[test]
fn positions_are_numbers_or_strings_and_one_or_many() {
    let numbers = r#"{"id":"4000","symbol":"LINKUSDTM","autoDeposit":false,"crossMode":true,"maintMarginReq":0.0067,
        "riskLimit":70000,"realLeverage":2.5,"delevPercentage":0.4,"openingTimestamp":1791500000251,
        "currentTimestamp":1791500000999,"currentQty":-30,"currentCost":-42.87,"currentComm":0.0257,
        "unrealisedCost":-42.87,"realisedGrossCost":0.0,"realisedCost":0.0257,"isOpen":true,"markPrice":14.2871,
        "markValue":-42.8613,"posCost":-42.87,"posCross":1.5,"posInit":14.29,"posComm":0.02,"posLoss":0E-8,
        "posMargin":14.3,"posFunding":0.1,"posMaint":0.3,"maintMargin":14.31,"realisedGrossPnl":0.0,
        "realisedPnl":-0.0257,"unrealisedPnl":0.0087,"unrealisedPnlPcnt":2.0E-4,"unrealisedRoePcnt":6.0E-4,
        "avgEntryPrice":14.29,"liquidationPrice":18.9,"bankruptPrice":19.1,"settleCurrency":"USDT",
        "isInverse":false,"maintainMargin":0.0068,"marginMode":"CROSS","positionSide":"SHORT","leverage":3,
        "dealComm":-0.03,"fundingFee":0.04,"tax":0,"cumulativeTradeFee":1,"cumulativeFundingFee":2,
        "cumulativeTax":3,"withdrawPnl":4,"riskLimitLevel":5}"#;
    let strings = numbers.replace(":0.4,", r#":"0.4","#).replace(":-30,", r#":"-30.0","#);
    let list = body(&format!("[{numbers},{strings}]"));
    let both = rows::<OpenPosition<'_>>(&list);
    assert_eq!(both[0], both[1], "however it is written");
    let p = both[0].unwrap();
    assert_eq!((p.symbol.as_str(), p.quantity), ("LINKUSDTM", -30), "short");
    assert_eq!(words([p.id, p.margin_mode, p.position_side]), "4000 CROSS SHORT");
    assert_eq!((p.opened, p.time), (ms(1_791_500_000_251), ms(1_791_500_000_999)));
    let flags = [p.auto_deposit, p.is_cross, p.is_open, p.is_inverse];
    assert_eq!(flags, [false, true, true, false].map(Some));
    let prices = [p.mark_price, p.entry_price, p.liquidation_price, p.bankrupt_price];
    assert_eq!(prices, ["14.2871", "14.29", "18.9", "19.1"].map(some));
    let costs = [p.current_cost, p.unrealised_cost, p.mark_value, p.position_cost];
    assert_eq!(costs, ["-42.87", "-42.87", "-42.8613", "-42.87"].map(some));
    let profits =
        [p.realised_gross_profit, p.realised_profit, p.unrealised_profit, p.withdrawn_profit];
    assert_eq!(profits, ["0", "-0.0257", "0.0087", "4"].map(some));
    let rates = [
        p.maintenance_margin_rate,
        p.maintenance_rate,
        p.deleverage_rank,
        p.unrealised_profit_rate,
        p.unrealised_return,
    ];
    assert_eq!(rates, ["0.0067", "0.0068", "0.4", "0.0002", "0.0006"].map(some));
    let margins = [
        p.initial_margin,
        p.added_margin,
        p.fee_margin,
        p.margin_loss,
        p.margin,
        p.margin_funding,
        p.maintenance_margin,
        p.margin_balance,
    ];
    assert_eq!(margins, ["14.29", "1.5", "0.02", "0", "14.3", "0.1", "0.3", "14.31"].map(some));
    let fees = [
        p.current_fees,
        p.realised_gross_cost,
        p.realised_cost,
        p.trade_fees,
        p.funding_fees,
        p.tax,
    ];
    assert_eq!(fees, ["0.0257", "0", "0.0257", "-0.03", "0.04", "0"].map(some));
    let sums = [p.cumulative_trade_fees, p.cumulative_funding_fees, p.cumulative_tax];
    assert_eq!((sums, p.risk_limit_level), (["1", "2", "3"].map(some), Some(5)));
    assert_eq!([p.leverage, p.real_leverage, p.risk_limit], ["3", "2.5", "70000"].map(some));
    assert_eq!(p.settle_currency.unwrap().as_str(), "USDT");

    let query = Query::Position { symbol: p.symbol };
    for data in [format!("[{numbers}]"), numbers.into()] {
        let text = body(&data);
        answered(query, &text, |message| {
            let Message::Positions(rows) = message else { panic!("{message:?}") };
            assert_eq!(rows.iter().map(Result::unwrap).collect::<Vec<_>>(), [p]);
        });
    }
}

#[test]
fn an_account_has_equity() {
    let data = body(
        r#"{"accountEquity":48.9,"unrealisedPNL":-1.5E-3,"marginBalance":48.9015,"positionMargin":1,
            "orderMargin":2,"frozenFunds":0,"availableBalance":"45.9","currency":"USDT","riskRatio":0E-8,
            "maxWithdrawAmount":45.8,"availableMargin":45.7}"#,
    );
    let account = AccountOverview::parse(data.as_bytes()).unwrap();
    assert_eq!((account.equity, account.currency.as_str()), (decimal("48.9"), "USDT"));
    let amounts = [
        account.unrealised_profit,
        account.margin_balance,
        account.position_margin,
        account.order_margin,
        account.frozen,
        account.available,
        account.risk_ratio,
        account.max_withdrawal,
        account.available_margin,
    ];
    assert_eq!(
        amounts,
        ["-0.0015", "48.9015", "1", "2", "0", "45.9", "0", "45.8", "45.7"].map(some)
    );
}
