//! A WebSocket whose messages are compressed: frames, since the WebSocket library refuses their mark.

use std::io::{self, Cursor};

use async_tungstenite::tungstenite::protocol::CloseFrame;
use async_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use async_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};
use futures_lite::io::{ReadHalf, WriteHalf};
use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};

use super::deflate::{Deflater, unpack};
use super::shared::MAX_INCOMING;
use crate::stream::Stream;

/// What the reader has the writer say.
pub(super) enum Answer {
    Pong(Vec<u8>),
    Close,
}

/// What a client sent.
pub(super) enum Incoming {
    Text(String),
    Answer(Answer),
    /// Nothing that asks for anything.
    Other,
}

pub(super) struct Writer {
    io: WriteHalf<Stream>,
    deflater: Deflater,
}

impl Writer {
    pub(super) fn new(io: WriteHalf<Stream>) -> Self {
        Self { io, deflater: Deflater::new() }
    }

    pub(super) async fn text(&mut self, text: &str) -> io::Result<()> {
        let packed = self.deflater.pack(text.as_bytes());
        let packed = packed.ok_or_else(|| io::Error::other("cannot compress"))?;
        let mut frame = Frame::message(packed, OpCode::Data(Data::Text), true);
        frame.header_mut().rsv1 = true;
        self.send(frame).await
    }

    pub(super) async fn close(&mut self, frame: Option<CloseFrame>) -> io::Result<()> {
        self.send(Frame::close(frame)).await
    }

    pub(super) async fn pong(&mut self, payload: Vec<u8>) -> io::Result<()> {
        self.send(Frame::pong(payload)).await
    }

    async fn send(&mut self, frame: Frame) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(frame.len());
        frame.format(&mut bytes).map_err(io::Error::other)?;
        self.io.write_all(&bytes).await?;
        self.io.flush().await
    }
}

pub(super) struct Reader {
    io: ReadHalf<Stream>,
    /// Read and not looked at yet.
    buffer: Vec<u8>,
    /// The message so far, and whether it is compressed.
    message: Vec<u8>,
    packed: bool,
    is_text: bool,
}

impl Reader {
    pub(super) const fn new(io: ReadHalf<Stream>, buffer: Vec<u8>) -> Self {
        Self { io, buffer, message: Vec::new(), packed: false, is_text: false }
    }

    /// `None` at the end, and if the client breaks the protocol.
    pub(super) async fn next(&mut self) -> Option<Incoming> {
        loop {
            let (header, payload) = self.frame().await?;
            match header.opcode {
                OpCode::Control(Control::Ping) => {
                    return Some(Incoming::Answer(Answer::Pong(payload)));
                }
                OpCode::Control(Control::Close) => return Some(Incoming::Answer(Answer::Close)),
                OpCode::Control(_) => return Some(Incoming::Other),
                OpCode::Data(kind) => {
                    if !matches!(kind, Data::Continue) {
                        self.message.clear();
                        self.packed = header.rsv1;
                        self.is_text = matches!(kind, Data::Text);
                    }
                    self.message.extend(payload);
                    if self.message.len() > MAX_INCOMING {
                        return None;
                    }
                    if header.is_final {
                        return self.finish();
                    }
                }
            }
        }
    }

    fn finish(&mut self) -> Option<Incoming> {
        let mut message = std::mem::take(&mut self.message);
        if self.packed {
            message = unpack(&message, MAX_INCOMING)?;
        }
        if !self.is_text {
            return Some(Incoming::Other);
        }
        String::from_utf8(message).ok().map(Incoming::Text)
    }

    /// A frame, unmasked. Clients mask theirs.
    async fn frame(&mut self) -> Option<(FrameHeader, Vec<u8>)> {
        loop {
            let mut cursor = Cursor::new(&self.buffer);
            if let Some((header, len)) = FrameHeader::parse(&mut cursor).ok()? {
                let (start, len) = (cursor.position() as usize, usize::try_from(len).ok()?);
                let mask = header.mask?;
                if len > MAX_INCOMING || header.rsv2 || header.rsv3 {
                    return None;
                }
                if let Some(payload) = self.buffer.get(start..start + len) {
                    let bytes = payload.iter().zip(mask.iter().cycle());
                    let payload = bytes.map(|(byte, mask)| byte ^ mask).collect();
                    self.buffer.drain(..start + len);
                    return Some((header, payload));
                }
            }
            let mut part = [0; 4096];
            let read = self.io.read(&mut part).await.ok().filter(|read| *read > 0)?;
            self.buffer.extend(part.get(..read)?);
        }
    }
}
