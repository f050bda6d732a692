//! Which line carries which topic.
//!
//! Lines stand in sets. The lines of a set carry each of its topics once between them; with two public
//! sets each public topic has two lines that share nothing. A topic stays where it is for as long as its
//! line is there, connected or not: a line's end touches only what it carried.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::config::Config;
use crate::ids::{LineId, TopicId};

/// What a line is there for. Lines of one role carry each of their topics once between them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(clippy::exhaustive_enums, reason = "there is no other access, and no third copy")]
pub enum LineRole {
    /// Public topics.
    Public,
    /// Public topics once more, where [`Lines::per_topic`](crate::config::Lines::per_topic) asks for two.
    Spare,
    /// Topics of the account.
    Private,
}

impl LineRole {
    pub(crate) const ALL: [Self; 3] = [Self::Public, Self::Spare, Self::Private];

    /// Its name: `public`, `spare` or `private`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Spare => "spare",
            Self::Private => "private",
        }
    }

    /// Whether its tokens are signed for.
    #[must_use]
    pub const fn is_private(self) -> bool {
        matches!(self, Self::Private)
    }
}

/// What a line is there for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Duty {
    /// Nothing, until somebody needs a line.
    Free,
    /// Its topics.
    Carries,
    /// To take over what another line carries.
    Succeeds(LineId),
}

#[derive(Clone, Debug)]
struct Slot {
    duty: Duty,
    set: LineRole,
    /// Topics whose home it is.
    load: usize,
    /// Topics that it may carry, as far as the exchange has taught.
    room: usize,
    /// It is connected, or has never been: what is new waits for it.
    is_open: bool,
}

/// The topics of one role.
#[derive(Clone, Debug, Default)]
struct Set {
    homes: BTreeMap<TopicId, LineId>,
    /// Topics without a home yet.
    waiting: BTreeSet<TopicId>,
}

/// Where topics are at home.
#[derive(Clone, Debug)]
pub(crate) struct Placement {
    /// By the number of the line.
    slots: Vec<Slot>,
    /// Of each role.
    sets: [Set; 3],
    has_spares: bool,
    topics_per_line: usize,
    lines_per_set: usize,
}

impl Placement {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            slots: Vec::new(),
            sets: Default::default(),
            has_spares: config.lines.per_topic > 1,
            topics_per_line: config.budgets.topics_per_line,
            lines_per_set: config.lines.at_most,
        }
    }

    /// How many topics there may be.
    pub(crate) const fn capacity(&self, is_private: bool) -> usize {
        let lines = if is_private { 1 } else { self.lines_per_set };
        self.topics_per_line.saturating_mul(lines)
    }

    /// The sets whose lines carry a topic.
    fn sets_of(&self, is_private: bool) -> impl Iterator<Item = LineRole> + use<> {
        let has_spares = self.has_spares;
        LineRole::ALL.into_iter().filter(move |set| match set {
            LineRole::Public => !is_private,
            LineRole::Spare => !is_private && has_spares,
            LineRole::Private => is_private,
        })
    }

    // Topics.

    /// A topic is wanted: it waits for a home in each of its sets.
    pub(crate) fn add(&mut self, topic: TopicId, is_private: bool) {
        for set in self.sets_of(is_private) {
            if !self.homes_in(set).contains_key(&topic) {
                self.waiting_in(set).insert(topic);
            }
        }
    }

    /// A topic is not wanted any more.
    pub(crate) fn remove(&mut self, topic: TopicId) {
        for set in LineRole::ALL {
            self.waiting_in(set).remove(&topic);
            if let Some(line) = self.homes_in(set).remove(&topic) {
                self.unload(line);
            }
        }
    }

    /// Whether a topic is at home on a line, or on the one that it is to succeed.
    pub(crate) fn is_placed_on(&self, topic: TopicId, line: LineId) -> bool {
        let home = self.predecessor(line).unwrap_or(line);
        self.sets.iter().any(|set| set.homes.get(&topic) == Some(&home))
    }

    /// The topics that are at home on a line, or on the one that it is to succeed.
    pub(crate) fn topics_of(&self, line: LineId) -> impl Iterator<Item = TopicId> + '_ {
        let slot = self.slot(line);
        let home = match slot.map(|slot| slot.duty) {
            Some(Duty::Succeeds(old)) => old,
            Some(Duty::Carries | Duty::Free) | None => line,
        };
        let homes = slot.map(|slot| self.set(slot.set).homes.iter());
        homes.into_iter().flatten().filter(move |&(_, &at)| at == home).map(|(&topic, _)| topic)
    }

    /// There is no room for a topic on a line, which holds one less from now on. The topic waits for another.
    pub(crate) fn on_no_room(&mut self, line: LineId, topic: TopicId) {
        let Some(set) = self.slot(line).map(|slot| slot.set) else { return };
        let Some(&home) = self.homes_in(set).get(&topic) else { return };
        self.homes_in(set).remove(&topic);
        self.unload(home);
        if let Some(slot) = self.slot_mut(home) {
            slot.room = slot.room.min(slot.load);
        }
        self.waiting_in(set).insert(topic);
    }

    /// The topics of a set that wait for a home, while none can come any more.
    pub(crate) fn homeless(&self, set: LineRole) -> Option<TopicId> {
        let is_hopeless = self.room_in(set) == 0 && self.lines_in(set) >= self.most_lines(set);
        if is_hopeless { self.set(set).waiting.first().copied() } else { None }
    }

    /// A topic waits no more for a second home; true if it has none at all.
    pub(crate) fn give_up(&mut self, set: LineRole, topic: TopicId) -> bool {
        self.waiting_in(set).remove(&topic);
        let has_none = |set: &Set| !set.homes.contains_key(&topic) && !set.waiting.contains(&topic);
        self.sets.iter().all(has_none)
    }

    // Lines.

    /// Whether a set needs another line for the topics that wait.
    pub(crate) fn wants_line(&self, set: LineRole) -> bool {
        let waiting = self.set(set).waiting.len();
        waiting > self.room_in(set) && self.lines_in(set) < self.most_lines(set)
    }

    /// Takes a line that is free, or a new one, into a set.
    pub(crate) fn open(&mut self, set: LineRole) -> Option<LineId> {
        self.take(set, Duty::Carries)
    }

    /// Takes a line to succeed another one; `None` if one is about to already.
    pub(crate) fn open_successor(&mut self, old: LineId) -> Option<LineId> {
        let slot = self.slot(old).filter(|slot| slot.duty == Duty::Carries)?;
        if self.successor(old).is_some() {
            return None;
        }
        self.take(slot.set, Duty::Succeeds(old))
    }

    fn take(&mut self, set: LineRole, duty: Duty) -> Option<LineId> {
        let slot = Slot { duty, set, load: 0, room: self.topics_per_line, is_open: true };
        // A line keeps whom it may speak for.
        let is_fit = |slot: &Slot| slot.set.is_private() == set.is_private();
        let free = self.slots.iter().position(|slot| slot.duty == Duty::Free && is_fit(slot));
        let at = free.unwrap_or(self.slots.len());
        match self.slots.get_mut(at) {
            Some(known) => *known = slot,
            None => self.slots.push(slot),
        }
        Some(LineId::new(u32::try_from(at).ok()?))
    }

    /// The line that is about to succeed another.
    pub(crate) fn successor(&self, old: LineId) -> Option<LineId> {
        let is_heir = |slot: &Slot| slot.duty == Duty::Succeeds(old);
        let at = self.slots.iter().position(is_heir)?;
        Some(LineId::new(u32::try_from(at).ok()?))
    }

    /// The line that a line is about to succeed.
    pub(crate) fn predecessor(&self, line: LineId) -> Option<LineId> {
        match self.slot(line)?.duty {
            Duty::Succeeds(old) => Some(old),
            Duty::Carries | Duty::Free => None,
        }
    }

    /// Whether a line is about to succeed another.
    pub(crate) fn has_successions(&self) -> bool {
        self.successions().next().is_some()
    }

    /// Lines that are about to succeed others, and which.
    pub(crate) fn successions(&self) -> impl Iterator<Item = (LineId, LineId)> + '_ {
        let all = (0..).map(LineId::new).zip(&self.slots);
        all.filter_map(|(line, slot)| match slot.duty {
            Duty::Succeeds(old) => Some((line, old)),
            Duty::Carries | Duty::Free => None,
        })
    }

    /// A line takes over what the one that it was to succeed carries, which is free after that.
    pub(crate) fn succeed(&mut self, line: LineId) {
        let Some(old) = self.predecessor(line) else { return };
        let Some(Slot { set, load, room, .. }) = self.slot(old).cloned() else { return };
        self.homes_in(set).values_mut().filter(|home| **home == old).for_each(|home| *home = line);
        if let Some(slot) = self.slot_mut(line) {
            (slot.duty, slot.load, slot.room) = (Duty::Carries, load, room);
        }
        self.free(old);
    }

    /// A line is needed no more.
    pub(crate) fn free(&mut self, line: LineId) {
        if let Some(slot) = self.slot_mut(line) {
            (slot.duty, slot.load) = (Duty::Free, 0);
        }
    }

    /// Whether topics are at home on a line.
    pub(crate) fn carries(&self, line: LineId) -> bool {
        self.slot(line).is_some_and(|slot| slot.duty == Duty::Carries)
    }

    pub(crate) fn is_free(&self, line: LineId) -> bool {
        self.slot(line).is_none_or(|slot| slot.duty == Duty::Free)
    }

    pub(crate) fn role_of(&self, line: LineId) -> Option<LineRole> {
        Some(self.slot(line)?.set)
    }

    /// A line is connected.
    pub(crate) fn on_up(&mut self, line: LineId) {
        if let Some(slot) = self.slot_mut(line) {
            slot.is_open = true;
        }
    }

    /// A line is not connected any more: what is new goes to others, if they have room.
    pub(crate) fn on_down(&mut self, line: LineId) {
        if let Some(slot) = self.slot_mut(line) {
            slot.is_open = false;
        }
    }

    /// The next topic that a connected line is to carry, so that all that are open are filled evenly.
    pub(crate) fn place_on(&mut self, line: LineId) -> Option<TopicId> {
        let &Slot { duty: Duty::Carries, set, load, room, .. } = self.slot(line)? else {
            return None;
        };
        let share = self.share(set);
        // planted: lines-filled-up
        if load >= room.min(share) {
            return None;
        }
        let topic = self.waiting_in(set).pop_first()?;
        self.homes_in(set).insert(topic, line);
        if let Some(slot) = self.slot_mut(line) {
            slot.load = slot.load.saturating_add(1);
        }
        Some(topic)
    }

    /// Topics on each open line of a set, once all that wait are placed.
    fn share(&self, set: LineRole) -> usize {
        let open = self.carrying(set).filter(|slot| slot.is_open && slot.load < slot.room);
        let (lines, placed) = open.fold((0_usize, 0_usize), |(lines, placed), slot| {
            (lines.saturating_add(1), placed.saturating_add(slot.load))
        });
        placed.saturating_add(self.set(set).waiting.len()).div_ceil(lines.max(1))
    }

    fn carrying(&self, set: LineRole) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(move |slot| slot.set == set && slot.duty == Duty::Carries)
    }

    fn lines_in(&self, set: LineRole) -> usize {
        self.carrying(set).count()
    }

    const fn most_lines(&self, set: LineRole) -> usize {
        if set.is_private() { 1 } else { self.lines_per_set }
    }

    /// For how many topics more its lines have room.
    fn room_in(&self, set: LineRole) -> usize {
        let room = self.carrying(set).map(|slot| slot.room.saturating_sub(slot.load));
        room.fold(0, usize::saturating_add)
    }

    fn unload(&mut self, line: LineId) {
        if let Some(slot) = self.slot_mut(line) {
            slot.load = slot.load.saturating_sub(1);
        }
    }

    fn slot(&self, line: LineId) -> Option<&Slot> {
        self.slots.get(line.index())
    }

    fn slot_mut(&mut self, line: LineId) -> Option<&mut Slot> {
        self.slots.get_mut(line.index())
    }

    const fn set(&self, role: LineRole) -> &Set {
        let [public, spare, private] = &self.sets;
        match role {
            LineRole::Public => public,
            LineRole::Spare => spare,
            LineRole::Private => private,
        }
    }

    const fn set_mut(&mut self, role: LineRole) -> &mut Set {
        let [public, spare, private] = &mut self.sets;
        match role {
            LineRole::Public => public,
            LineRole::Spare => spare,
            LineRole::Private => private,
        }
    }

    const fn homes_in(&mut self, set: LineRole) -> &mut BTreeMap<TopicId, LineId> {
        &mut self.set_mut(set).homes
    }

    const fn waiting_in(&mut self, set: LineRole) -> &mut BTreeSet<TopicId> {
        &mut self.set_mut(set).waiting
    }
}
