/**
 * The part of WebSocket (RFC 6455) that the generator needs. A client has to mask what it sends [5.3]: the key is zero, so that the
 * bytes stay as they are, which costs the generator nothing and the broker the same as any other key.
 */
export const BINARY = 0x2;
export const CONTINUATION = 0x0;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

const FINAL = 0x80;
const MASKED = 0x80;
const KEY_BYTES = 4;
const SHORT_LENGTH = 125;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** The header of a whole message from a client, with a masking key of zeros. */
export function maskedHeader(opcode: number, payloadBytes: number): Buffer {
  if (payloadBytes <= SHORT_LENGTH) {
    return Buffer.from([FINAL | opcode, MASKED | payloadBytes, 0, 0, 0, 0]);
  }
  if (payloadBytes <= 0xffff) {
    const header = Buffer.alloc(4 + KEY_BYTES);
    header[0] = FINAL | opcode;
    header[1] = MASKED | LENGTH_16;
    header.writeUInt16BE(payloadBytes, 2);
    return header;
  }
  const header = Buffer.alloc(10 + KEY_BYTES);
  header[0] = FINAL | opcode;
  header[1] = MASKED | LENGTH_64;
  header.writeUInt32BE(payloadBytes, 6);
  return header;
}

/** The request that opens the connection. The answer's hash is not compared: the benchmark knows whom it talks to. */
export function upgradeRequest(host: string, port: number, path: string): string {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: YmVuY2htYXJrLWNsaWVudA==',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: mqtt',
    '',
    '',
  ].join('\r\n');
}
