//! Stands between a browser and a `kcf serve`, on sockets, as a proxy does that keeps back what it passes on.

#![allow(clippy::disallowed_methods, reason = "it keeps back what others send")]

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// What is asked of it from now on.
#[derive(Default)]
struct Orders {
    /// Streams come so late, in milliseconds.
    late: AtomicU64,
    /// How many streams were asked for, and how many of them are served.
    asked: AtomicUsize,
    served: AtomicUsize,
}

pub(crate) struct Late {
    pub(crate) addr: SocketAddr,
    orders: Arc<Orders>,
}

impl Late {
    pub(crate) fn start(serve: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let orders = Arc::new(Orders::default());
        orders.served.store(usize::MAX, Ordering::SeqCst);
        let told = Arc::clone(&orders);
        thread::spawn(move || {
            for browser in listener.incoming().flatten() {
                let told = Arc::clone(&told);
                thread::spawn(move || pass(browser, addr, serve, &told));
            }
        });
        Self { addr, orders }
    }

    /// From now on streams come so late.
    pub(crate) fn keep_back(&self, late: Duration) {
        self.orders.late.store(late.as_millis().try_into().unwrap(), Ordering::SeqCst);
    }

    /// How many streams were asked for.
    pub(crate) fn asked(&self) -> usize {
        self.orders.asked.load(Ordering::SeqCst)
    }

    /// Nothing is sent of the streams after the first so many.
    pub(crate) fn serve(&self, count: usize) {
        self.orders.served.store(count, Ordering::SeqCst);
    }
}

/// Whoever goes away ends it.
fn pass(mut browser: TcpStream, own: SocketAddr, serve: SocketAddr, orders: &Arc<Orders>) {
    let mut onward = TcpStream::connect(serve).unwrap();
    let (back, to) = (onward.try_clone().unwrap(), browser.try_clone().unwrap());
    let (kinds, kind) = mpsc::channel();
    let told = Arc::clone(orders);
    thread::spawn(move || answer(back, to, &kind, &told));
    let mut bytes = [0; 16 * 1024];
    // A request of a page is smaller than that, and comes whole.
    while let Ok(count @ 1..) = browser.read(&mut bytes) {
        let text = String::from_utf8(bytes[..count].to_vec()).unwrap();
        if text.starts_with("GET /stream ") {
            kinds.send(orders.asked.fetch_add(1, Ordering::SeqCst)).unwrap();
        }
        let text = text.replace(&own.to_string(), &serve.to_string());
        if onward.write_all(text.as_bytes()).is_err() {
            break;
        }
    }
    let _ = onward.shutdown(Shutdown::Both);
}

/// Passes answers on; as soon as one is a stream, late.
fn answer(mut from: TcpStream, to: TcpStream, kind: &mpsc::Receiver<usize>, orders: &Arc<Orders>) {
    let (queue, parts) = mpsc::channel();
    let told = Arc::clone(orders);
    thread::spawn(move || hold(to, &parts, &told));
    let (mut bytes, mut stream) = ([0; 64 * 1024], None);
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        stream = stream.or_else(|| kind.try_recv().ok());
        if queue.send((Instant::now(), stream, bytes[..count].to_vec())).is_err() {
            return;
        }
    }
}

fn hold(
    mut to: TcpStream,
    parts: &mpsc::Receiver<(Instant, Option<usize>, Vec<u8>)>,
    orders: &Orders,
) {
    while let Ok((came, stream, mut bytes)) = parts.recv() {
        let mut waited = false;
        let late = || Duration::from_millis(orders.late.load(Ordering::SeqCst));
        while stream.is_some_and(|at| at >= orders.served.load(Ordering::SeqCst))
            || stream.is_some() && came.elapsed() < late()
        {
            waited = true;
            thread::sleep(Duration::from_millis(5));
        }
        // All that has gathered and is due, at once: as it is if a buffer is emptied.
        if waited && late().is_zero() {
            while let Ok((_, _, more)) = parts.try_recv() {
                bytes.extend(more);
            }
        }
        if to.write_all(&bytes).is_err() {
            return;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
