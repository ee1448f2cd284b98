import { describe, expect, it } from 'vitest'
import { isPublicAddress } from '../../src/pool/fetch/addresses.ts'

const PUBLIC = ['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0', '169.253.0.1', '172.15.255.255', '172.32.0.0', '192.167.0.1', '192.169.0.1']
  .concat(['198.17.0.1', '198.20.0.1', '223.255.255.255', '2606:4700:4700::1111', '2001:4860:4860::8888', '2a00:1450::1', '2001:200::1', '2003::1'])

const REFUSED: Record<string, string[]> = {
  'this host': ['0.0.0.0', '0.1.2.3', '::', '::0'],
  'loopback': ['127.0.0.1', '127.255.255.254', '::1'],
  'private': ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.0.1', 'fc00::1', 'fd00:ec2::254', 'fec0::1'],
  'link-local and metadata': ['169.254.169.254', '169.254.0.1', 'fe80::1', 'fe80::1%eth0', '168.63.129.16', '100.100.100.200'],
  'carriers': ['100.64.0.1', '100.127.255.255', '192.0.0.8'],
  'tests and documentation': ['192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'],
  'multicast and reserved': ['224.0.0.1', '239.1.1.1', '240.0.0.1', '255.255.255.255', 'ff02::1', '192.88.99.1', '5f00::1', '4000::1'],
  'IPv4 in IPv6': ['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:8.8.8.8', '::127.0.0.1', '::ffff:0:127.0.0.1', '64:ff9b::7f00:1', '64:ff9b::8.8.8.8', '64:ff9b:1::a00:1', '2002:7f00:1::', '2002:a00:1::1', '2001::1', '2001:0:7f00:1::'],
  'no addresses': ['', 'localhost', '127.1', '0x7f000001', '2130706433', '0177.0.0.1', '1.1.1.1 ', '[::1]', '1.1.1.1%eth0', '2606:4700::1%1', '1.1.1.1\0']
}

describe('addresses of the public internet', () => {
  it.each(PUBLIC)('%s is one', (address) => expect(isPublicAddress(address)).toBe(true))

  for (const [kind, addresses] of Object.entries(REFUSED)) {
    it.each(addresses)(`%j is none (${kind})`, (address) => expect(isPublicAddress(address)).toBe(false))
  }
})
