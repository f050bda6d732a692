//! What REST answers of an account, and whether that is all.

use alloc::vec::Vec;

use super::{AccountSync, NEVER, Phase};
use crate::account::change::{BalancePatch, PositionPatch};
use crate::account::round::{List, Round};
use crate::account::{AccountFill, OpenOrder, StopOrder};
use crate::context::Context;
use crate::error::WireError;
use crate::event::{
    AccountDelayReason, AccountEvent, AccountLostReason, Event, LoginError, RestError,
};
use crate::ids::WordsId;
use crate::message::Message;
use crate::query::Query;

/// What a currency that an account cannot have is answered with: the codes for parameters.
const NO_SUCH_PARAMETER: [u32; 2] = [100_001, 400_100];

impl AccountSync {
    /// An answer came.
    pub(crate) fn on_answer(&mut self, cx: &mut Context, query: Query, round: u32, body: &[u8]) {
        if round != self.round || !matches!(self.phase, Phase::Asking(_)) {
            return;
        }
        let most_pages = cx.config.account.max_pages;
        match query.decode(body).and_then(|answer| self.take_answer(&answer)) {
            Ok(Some((list, page))) => match self.ask_page(list, page, most_pages) {
                Ok(()) => self.on_answered(cx),
                Err(reason) => self.delay(cx, reason),
            },
            Ok(None) => self.on_answered(cx),
            Err(error) => self.delay(cx, AccountDelayReason::Failed(RestError::Wire(error))),
        }
    }

    /// There is no answer.
    pub(crate) fn on_no_answer(
        &mut self,
        cx: &mut Context,
        query: Query,
        round: u32,
        reason: RestError,
    ) {
        if round != self.round || !matches!(self.phase, Phase::Asking(_)) {
            return;
        }
        match (reason.login_error(), query, reason) {
            (Some(error), ..) => {
                let words = reason.refusal().and_then(|refusal| refusal.words);
                self.refuse(cx, error, words);
            }
            // One currency that the account has not must not stand in the way of all others.
            (None, Query::AccountOverview { currency }, RestError::Api { code, .. })
                if NO_SUCH_PARAMETER.contains(&code) =>
            {
                cx.event(Event::Account(AccountEvent::BalanceRefused { currency, code }));
                self.on_answered(cx);
            }
            (None, ..) => self.delay(cx, AccountDelayReason::Failed(reason)),
        }
    }

    fn refuse(&mut self, cx: &mut Context, error: LoginError, words: Option<WordsId>) {
        cx.event(Event::Account(AccountEvent::Refused { error, words }));
        self.stop(cx, AccountLostReason::Rejected);
    }

    /// Takes in an answer; the page that is to be asked for next, if there is one.
    #[allow(clippy::wildcard_enum_match_arm, reason = "nothing else was asked for")]
    fn take_answer(&mut self, answer: &Message<'_>) -> Result<Option<(List, u64)>, WireError> {
        let Phase::Asking(round) = &mut self.phase else { return Ok(None) };
        match answer {
            Message::Positions(rows) => {
                for row in rows.iter() {
                    PositionPatch::of_row(&row?).apply(&mut self.account.positions);
                }
            }
            Message::Orders(page) => {
                for row in page.rows.iter() {
                    let order = OpenOrder::of_row(&row?)?;
                    self.account.orders.insert(order.id.clone(), order);
                }
                let next = round.turn_page(List::Orders, page.number, page.total_pages);
                return Ok(next.map(|next| (List::Orders, next)));
            }
            Message::StopOrders(page) => {
                for row in page.rows.iter() {
                    let order = StopOrder::of_row(&row?)?;
                    self.account.stop_orders.insert(order.id.clone(), order);
                }
                let next = round.turn_page(List::StopOrders, page.number, page.total_pages);
                return Ok(next.map(|next| (List::StopOrders, next)));
            }
            Message::RecentFills(rows) => {
                let rows = rows.iter().collect::<Result<Vec<_>, _>>()?;
                // The newest stands first.
                for row in rows.iter().rev() {
                    let is_new = self.account.remember(AccountFill::of_row(row));
                    round.new_fills = round.new_fills.saturating_add(u32::from(is_new));
                }
            }
            Message::AccountOverview(overview) => {
                BalancePatch::of_overview(overview).apply(&mut self.account.balances);
            }
            _ => return Err(WireError::Unexpected),
        }
        Ok(None)
    }

    fn ask_page(&mut self, list: List, number: u64, most: u32) -> Result<(), AccountDelayReason> {
        let Phase::Asking(round) = &mut self.phase else { return Ok(()) };
        if round.pages >= most {
            return Err(AccountDelayReason::TooManyPages);
        }
        // There are no more pages than may be asked for.
        let number = u32::try_from(number).map_err(|_| AccountDelayReason::TooManyPages)?;
        self.questions.push_back(list.page(number));
        round.pages = round.pages.saturating_add(1);
        round.open = round.open.saturating_add(1);
        Ok(())
    }

    fn on_answered(&mut self, cx: &mut Context) {
        let Phase::Asking(round) = &mut self.phase else { return };
        round.open = round.open.saturating_sub(1);
        let is_done = round.open == 0;
        if !self.check_size(cx) || !is_done {
            return;
        }
        self.settle(cx);
    }

    /// All is answered: reads a list again of which a row may have been passed over, or waits for what the stream
    /// has said.
    fn settle(&mut self, cx: &mut Context) {
        let Phase::Asking(round) = &mut self.phase else { return };
        if let Some(list) = round.take_moved() {
            self.account.clear(list);
            if let Err(reason) = self.ask_page(list, 1, cx.config.account.max_pages) {
                self.delay(cx, reason);
            }
            return;
        }
        let new_fills = core::mem::take(&mut round.new_fills);
        let mut round = core::mem::replace(round, Round::new(0));
        for change in &round.heard {
            self.account.apply(change.clone());
        }
        if !round.is_paged() {
            round.heard = Vec::new();
        }
        self.phase = Phase::Settling(round);
        self.wants_barrier = true;
        if new_fills > 0 && self.account.epoch != NEVER {
            cx.event(Event::Account(AccountEvent::FillsRecovered { count: new_fills }));
        }
        self.check_size(cx);
    }

    /// Something of a list has ended that was read in pages. What was heard so far is put on its rows once more.
    pub(super) fn read_again(&mut self, cx: &mut Context) {
        let Phase::Settling(round) = &mut self.phase else { return };
        self.phase = Phase::Asking(core::mem::replace(round, Round::new(0)));
        self.wants_barrier = false;
        // What was asked for behind the earlier answers says nothing of these.
        self.round = self.round.wrapping_add(1);
        self.settle(cx);
    }

    /// False: the account has more than is kept, and that was said.
    pub(super) fn check_size(&mut self, cx: &mut Context) -> bool {
        match self.account.excess(&cx.config.account) {
            Some(part) => {
                self.delay(cx, AccountDelayReason::TooMany(part));
                false
            }
            None => true,
        }
    }
}
