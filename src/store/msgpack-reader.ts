/**
 * Decodes the records that aedes-persistence-level writes: MessagePack (https://github.com/msgpack/msgpack, spec.md),
 * one map with names for keys and no collections in it. At start hundreds of thousands are read; the decoder that the
 * package brings along takes more than twice as long, most of it on text, which it decodes byte by byte.
 */
import { DamagedRecord } from '../core/errors.js';

export type MsgpackValue = string | number | boolean | null | undefined | Buffer;

export class MsgpackReader {
  #bytes: Buffer = Buffer.alloc(0);
  #offset = 0;

  /** @returns the fields of the map; buffers are views of `bytes`. @throws DamagedRecord */
  read(bytes: Buffer): Record<string, MsgpackValue> {
    this.#bytes = bytes;
    this.#offset = 0;
    const count = this.#readMapLength();
    const fields: Record<string, MsgpackValue> = {};
    for (let i = 0; i < count; i++) {
      const name = this.#readValue();
      if (typeof name !== 'string') throw new DamagedRecord('A field of a record has no name');
      fields[name] = this.#readValue();
    }
    return fields;
  }

  #readMapLength(): number {
    const type = this.#take(1);
    const first = this.#bytes[type] as number;
    if ((first & 0xf0) === 0x80) return first & 0x0f;
    if (first === 0xde) return this.#bytes.readUInt16BE(this.#take(2));
    throw new DamagedRecord('A record is no map');
  }

  #readValue(): MsgpackValue {
    const type = this.#bytes[this.#take(1)] as number;
    if (type <= 0x7f) return type;
    if (type >= 0xe0) return type - 0x100;
    if ((type & 0xe0) === 0xa0) return this.#readText(type & 0x1f);
    switch (type) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#readBinary(this.#bytes[this.#take(1)] as number);
      case 0xc5:
        return this.#readBinary(this.#bytes.readUInt16BE(this.#take(2)));
      case 0xc6:
        return this.#readBinary(this.#bytes.readUInt32BE(this.#take(4)));
      case 0xd9:
        return this.#readText(this.#bytes[this.#take(1)] as number);
      case 0xda:
        return this.#readText(this.#bytes.readUInt16BE(this.#take(2)));
      case 0xdb:
        return this.#readText(this.#bytes.readUInt32BE(this.#take(4)));
      default:
        return this.#readNumber(type);
    }
  }

  #readNumber(type: number): number {
    switch (type) {
      case 0xca:
        return this.#bytes.readFloatBE(this.#take(4));
      case 0xcb:
        return this.#bytes.readDoubleBE(this.#take(8));
      case 0xcc:
        return this.#bytes[this.#take(1)] as number;
      case 0xcd:
        return this.#bytes.readUInt16BE(this.#take(2));
      case 0xce:
        return this.#bytes.readUInt32BE(this.#take(4));
      case 0xcf:
        return Number(this.#bytes.readBigUInt64BE(this.#take(8)));
      case 0xd0:
        return this.#bytes.readInt8(this.#take(1));
      case 0xd1:
        return this.#bytes.readInt16BE(this.#take(2));
      case 0xd2:
        return this.#bytes.readInt32BE(this.#take(4));
      case 0xd3:
        return Number(this.#bytes.readBigInt64BE(this.#take(8)));
      default:
        throw new DamagedRecord(`A record has a value of type 0x${type.toString(16)}`);
    }
  }

  #readText(length: number): string {
    const start = this.#take(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  #readBinary(length: number): Buffer {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** @returns where the next `length` bytes begin, which are now behind us */
  #take(length: number): number {
    const start = this.#offset;
    this.#offset += length;
    if (this.#offset > this.#bytes.length) throw new DamagedRecord('A record ends early');
    return start;
  }
}
