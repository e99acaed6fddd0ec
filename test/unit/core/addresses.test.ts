import { describe, expect, it } from 'vitest';
import { addressKey } from '../../../src/core/address-key.js';
import { AddressRange } from '../../../src/core/address-range.js';
import { AddressRanges } from '../../../src/core/address-ranges.js';
import { InvalidArgument } from '../../../src/core/errors.js';
import { ipAddressText, parseIpAddress } from '../../../src/core/ip-address.js';

describe('the key of an address', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['2001:db8:0:1:2:3:4:5', '2001:db8:0:1::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
    ['nonsense:', 'nonsense:'],
  ])('of %s is %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});

describe('the text of an address', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:a00:1', '10.0.0.1'],
    ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:0', '2001:db8:0:0:1::'],
    ['::', '::'],
    ['::1', '::1'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['1:2:3:4:5:6:0:0', '1:2:3:4:5:6::'],
  ])('of %s is %s', (address, text) => {
    const parsed = parseIpAddress(address);
    expect(parsed).not.toBeNull();
    if (parsed !== null) expect(ipAddressText(parsed)).toBe(text);
  });
});

describe('ranges of addresses', () => {
  it('hold what is in one of them, in any form', () => {
    const ranges = new AddressRanges(['10.0.0.0/8', '2001:db8::/32', '192.0.2.7']);
    for (const address of ['10.255.0.1', '::ffff:10.0.0.1', '2001:db8:ffff::1', '192.0.2.7'])
      expect(ranges.contains(address)).toBe(true);
    for (const address of ['11.0.0.1', '2001:db9::1', '192.0.2.8', '', 'localhost'])
      expect(ranges.contains(address)).toBe(false);
  });

  it.each([
    ['127.0.0.1/0', '0.0.0.0/0'],
    ['::ffff:0:0/96', '0.0.0.0/0'],
    ['::ffff:10.1.2.3/104', '10.0.0.0/8'],
    ['10.1.2.255/31', '10.1.2.254/31'],
    ['10.1.2.3/32', '10.1.2.3'],
    ['::1/0', '::/0'],
    ['::ffff:0:0/95', '::fffe:0:0/95'],
    ['2001:db8:1:2:ffff::1/65', '2001:db8:1:2:8000::/65'],
    ['2001:DB8::1/128', '2001:db8::1'],
  ])('of %s are called %s', (text, name) => {
    expect(AddressRange.parse(text)?.text).toBe(name);
  });

  it('are refused if they are none', () => {
    expect(() => new AddressRanges(['10.0.0.0/33'])).toThrow(InvalidArgument);
  });
});
