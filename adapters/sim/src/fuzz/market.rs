//! What the exchange's side says, in our own words: enough for a client to come all the way, with no
//! claim to be a market.

pub(super) const SYMBOLS: [&str; 3] = ["LINKUSDTM", "AVAXUSDTM", "10PEPEUSDTM"];

/// One symbol's counter.
#[derive(Clone, Copy)]
pub(super) struct Market {
    pub(super) symbol: &'static str,
    pub(super) sequence: u64,
}

impl Market {
    pub(super) const fn new(symbol: &'static str) -> Self {
        Self { symbol, sequence: 1_650_000_100_000 }
    }

    /// The next level2 frame: `bits` choose side, price and size.
    pub(super) fn change(&mut self, bits: u8) -> String {
        self.sequence = self.sequence.saturating_add(1);
        self.level2(self.sequence, bits)
    }

    pub(super) fn level2(&self, sequence: u64, bits: u8) -> String {
        let (side, start) = if bits & 1 == 0 { ("buy", 10) } else { ("sell", 18) };
        let (price, size) = (start + (bits >> 1) % 10, bits >> 5);
        format!(
            r#"{{"topic":"/contractMarket/level2:{}","type":"message","subject":"level2","data":{{"sequence":{sequence},"change":"{price}.5,{side},{size}","timestamp":1791500000250}}}}"#,
            self.symbol
        )
    }

    /// Five levels a side.
    pub(super) fn snapshot(&self, back: u64) -> String {
        let sequence = self.sequence.saturating_sub(back);
        format!(
            r#"{{"code":"200000","data":{{"sequence":{sequence},"symbol":"{}","bids":[[16.5,1],[15.5,2],[14.5,3],[13.5,1],[12.5,4]],"asks":[["19.5",1],[20.5,7],[21.5,3],[22.5,2],[23.5,4]],"ts":1791500000251000000}}}}"#,
            self.symbol
        )
    }

    pub(super) fn ticker(&self, sequence: u64) -> String {
        let symbol = self.symbol;
        format!(
            r#"{{"topic":"/contractMarket/tickerV2:{symbol}","type":"message","subject":"tickerV2","data":{{"symbol":"{symbol}","sequence":{sequence},"bestBidSize":7,"bestBidPrice":"9.5","bestAskPrice":"10","bestAskSize":3,"ts":{sequence}}}}}"#
        )
    }

    pub(super) fn trade(&self, sequence: u64) -> String {
        let symbol = self.symbol;
        format!(
            r#"{{"topic":"/contractMarket/execution:{symbol}","type":"message","subject":"match","data":{{"symbol":"{symbol}","sequence":{sequence},"side":"buy","size":2,"price":"18.5","takerOrderId":"9001","makerOrderId":"9000","tradeId":"{sequence}","ts":{sequence}}}}}"#
        )
    }
}

/// A token reply that may be used.
pub(super) const TOKEN: &str = r#"{"code":"200000","data":{"token":"abc.d==","instanceServers":[{"endpoint":"wss://ws.kucoin.com/","pingInterval":18000,"pingTimeout":10000}]}}"#;
/// The exchange's clock.
pub(super) const TIME: &str = r#"{"code":"200000","data":1791500000250}"#;
/// A list of contracts without any.
pub(super) const CONTRACTS: &str = r#"{"code":"200000","data":[]}"#;
