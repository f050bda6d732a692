//! Links the core into a library without std. If std came in with it, there would be two panic
//! handlers, and this would not build.
#![no_std]

use core::alloc::{GlobalAlloc, Layout};
use core::panic::PanicInfo;

use kucoin_futures_proto::{Channel, Client, Config, Input, Instant};

/// Has no memory: this is only ever linked, never run.
struct NoMemory;

unsafe impl GlobalAlloc for NoMemory {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: NoMemory = NoMemory;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// Pulls in every part of the client.
#[unsafe(no_mangle)]
pub extern "C" fn probe() -> u64 {
    let now = Instant::ZERO;
    let mut client = Client::new(now, 1, Config::default());
    if let Ok(symbol) = "XBTUSDTM".parse() {
        let _ = client.subscribe(now, Channel::level2(symbol));
    }
    let _ = client.handle(now, Input::Timeout);
    while client.poll_output().is_some() {}
    client.stats().messages
}
