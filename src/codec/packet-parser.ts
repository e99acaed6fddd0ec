/**
 * mqtt-packet's parser as a function: one whole frame in, one packet out. An instance is shared by all connections of
 * a protocol version, because it keeps nothing between two whole frames.
 *
 * After an error mqtt-packet resets all of its state but the read position, and would misread the next frame: the
 * parser is thrown away and a new one made. Behind our validators that is not expected to happen at all.
 */
import { type Packet, type Parser, parser } from 'mqtt-packet';
import { MalformedPacket } from '../core/errors.js';
import type { ProtocolVersion } from './packet-type.js';

/** What it reads: not CONNECT, which would become the settings of the parser. */
type Readable = 'subscribe' | 'unsubscribe' | 'disconnect' | 'auth';

type PacketOf<Command extends Readable> = Extract<Packet, { cmd: Command }>;

export class PacketParser {
  readonly #settings: { readonly protocolVersion: ProtocolVersion };
  #parser: Parser | undefined;
  #packet: Packet | undefined;
  #error: unknown;

  constructor(protocolVersion: ProtocolVersion) {
    this.#settings = { protocolVersion };
  }

  /**
   * @param frame one whole packet in one piece: over several pieces mqtt-packet takes quadratic time
   * @throws MalformedPacket if mqtt-packet finds no `command` packet in it
   */
  parse<Command extends Readable>(frame: Buffer, command: Command): PacketOf<Command> {
    this.#parser ??= this.#newParser();
    try {
      this.#parser.parse(frame);
    } catch (error) {
      this.#error ??= error;
    }
    const packet = this.#packet;
    const error = this.#error;
    this.#packet = undefined;
    this.#error = undefined;
    if (error === undefined && packet?.cmd === command) return packet as PacketOf<Command>;
    this.#parser = undefined;
    const reason = error instanceof Error ? error.message : 'no whole packet';
    throw new MalformedPacket(`${command} cannot be read: ${reason}`);
  }

  #newParser(): Parser {
    const created = parser(this.#settings);
    created.on('packet', (packet) => {
      this.#packet = packet;
    });
    // Without a listener the parser would throw instead.
    created.on('error', (error) => {
      this.#error ??= error;
    });
    return created;
  }
}
