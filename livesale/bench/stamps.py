"""The scripts of `bench media` and `bench join`: a host's canvas that shows the time, and viewers who read it.

The time is drawn as 32 blocks of 1 bit, each above its opposite, so that a picture half decoded is not taken for one.
"""

from __future__ import annotations

HOST = """
async ({url, token, width, height, framesPerS}) => {
  const canvas = document.createElement('canvas');
  canvas.width = width; canvas.height = height;
  const pen = canvas.getContext('2d', {alpha: false});
  const side = Math.floor(width / 32);
  let turn = 0;
  const draw = () => {
    pen.fillStyle = '#404858'; pen.fillRect(0, 2 * side, width, height);
    for (let i = 0; i < 60; i += 1) {
      pen.fillStyle = `hsl(${(i * 47 + turn) % 360} 60% 55%)`;
      pen.fillRect((i * 97 + turn * 3) % width, 2 * side + ((i * 61) % (height - 2 * side - 40)), 40, 24);
    }
    turn += 1;
    const now = Date.now() % 2 ** 32;
    for (let bit = 0; bit < 32; bit += 1) {
      const on = Math.floor(now / 2 ** bit) % 2 === 1;
      pen.fillStyle = on ? '#fff' : '#000'; pen.fillRect(bit * side, 0, side, side);
      pen.fillStyle = on ? '#000' : '#fff'; pen.fillRect(bit * side, side, side, side);
    }
  };
  setInterval(draw, 1000 / framesPerS);
  draw();
  const stream = canvas.captureStream(framesPerS);
  const voice = await navigator.mediaDevices.getUserMedia({audio: true});
  const peer = window.benchPeer = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  const codecs = RTCRtpSender.getCapabilities('video').codecs.filter((one) => one.mimeType === 'video/H264');
  if (codecs.length === 0) throw new Error('this browser sends no H.264');
  const video = peer.addTransceiver(stream.getVideoTracks()[0], {direction: 'sendonly', sendEncodings: [{maxBitrate: 2500000}]});
  video.setCodecPreferences(codecs);
  peer.addTransceiver(voice.getAudioTracks()[0], {direction: 'sendonly'});
  await peer.setLocalDescription();
  if (peer.iceGatheringState !== 'complete') {
    await new Promise((done) => {
      peer.onicegatheringstatechange = () => { if (peer.iceGatheringState === 'complete') done(); };
      setTimeout(done, 1500);
    });
  }
  const headers = {'Content-Type': 'application/sdp', Authorization: `Bearer ${token}`};
  const answer = await fetch(url, {method: 'POST', headers, body: peer.localDescription.sdp});
  const text = await answer.text();
  if (answer.status !== 201) throw new Error(`WHIP: ${answer.status} ${text.slice(0, 200)}`);
  await peer.setRemoteDescription({type: 'answer', sdp: text});
}
"""

SENT = """
async () => {
  const found = {bytes: 0, frames: 0};
  for (const one of (await window.benchPeer.getStats()).values()) {
    if (one.type === 'outbound-rtp') { found.bytes += one.bytesSent; found.frames += one.framesSent || 0; }
  }
  return found;
}
"""

# What the page keeps of a viewer who has chosen it; a browser without the means plays as by default all the same.
LOWEST_DELAY = "localStorage.setItem('livesale.way', 'direct')"

VIEWER = """
(() => {
  const seen = window.benchSeen = {socketMs: null, firstMs: null, lateMs: [], unread: 0, counting: false};
  window.benchFirst = new Promise((done) => { seen.done = done; });
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...given) { super(...given); seen.socketMs ??= performance.now(); }
  };
  const SIDE = 16;
  const paper = document.createElement('canvas');
  const pen = paper.getContext('2d', {alpha: false, willReadFrequently: true});
  const read = (video) => {
    const side = video.videoWidth / 32;
    paper.width = 32 * SIDE; paper.height = 2 * SIDE;
    let stamp = 0;
    pen.drawImage(video, 0, 0, side * 32, side * 2, 0, 0, 32 * SIDE, 2 * SIDE);
    const {data} = pen.getImageData(0, 0, 32 * SIDE, 2 * SIDE);
    const green = (column, row) => data[4 * ((row * SIDE + SIDE / 2) * 32 * SIDE + column * SIDE + SIDE / 2) + 1];
    for (let bit = 0; bit < 32; bit += 1) {
      const upper = green(bit, 0), lower = green(bit, 1);
      if (Math.abs(upper - lower) < 80) return null;
      if (upper > lower) stamp += 2 ** bit;
    }
    return stamp;
  };
  const each = (video) => {
    if (seen.firstMs === null) { seen.firstMs = performance.now(); seen.done(); }
    if (seen.counting) {
      const now = Date.now() % 2 ** 32;
      const stamp = read(video);
      if (stamp === null) seen.unread += 1; else seen.lateMs.push(now - stamp);
    }
    video.requestVideoFrameCallback(() => each(video));
  };
  const look = () => {
    const video = document.querySelector('[data-testid=player]');
    if (video) video.requestVideoFrameCallback(() => each(video));
    else requestAnimationFrame(look);
  };
  look();
})();
"""

SEEN = """
(() => {
  const {socketMs, firstMs, lateMs, unread} = benchSeen;
  const video = document.querySelector('[data-testid=player]');
  const ahead = video.buffered.length ? video.buffered.end(video.buffered.length - 1) - video.currentTime : 0;
  const {droppedVideoFrames} = video.getVideoPlaybackQuality();
  const mode = video.srcObject ? 'webcodecs' : 'mse';
  return {mode, socketMs, firstMs, lateMs, unread, bufferMs: Math.round(ahead * 1000), dropped: droppedVideoFrames};
})()
"""
