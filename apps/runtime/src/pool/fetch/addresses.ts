import { BlockList, isIPv4, isIPv6 } from 'node:net'

/**
 * IPv4 that is not the public internet's: what the IANA IPv4 Special-Purpose Address Registry (RFC 6890) does not call globally
 * reachable, multicast, and what is reserved.
 */
const NOT_PUBLIC_V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  // Azure's channel to its hosts (WireServer) has a public address, and reaches nobody but the own host.
  ['168.63.129.16', 32]
]

/**
 * Public IPv6 is within 2000::/3 (IANA IPv6 Address Space). IPv4 in IPv6 stands outside it, mapped (::ffff:0:0/96), translated
 * (64:ff9b::/96) and compatible (::/96), so that all of these are refused, whatever is in them.
 */
const GLOBAL_V6 = ['2000::', 3] as const
/** Within that: protocol assignments with Teredo and ORCHID, documentation, and 6to4, which holds an IPv4 address. */
const NOT_PUBLIC_V6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20]
]

const notPublic = new BlockList()
for (const [net, prefix] of NOT_PUBLIC_V4) notPublic.addSubnet(net, prefix, 'ipv4')
for (const [net, prefix] of NOT_PUBLIC_V6) notPublic.addSubnet(net, prefix, 'ipv6')
const global = new BlockList()
global.addSubnet(...GLOBAL_V6, 'ipv6')

/** Whether this is an address, and one of the public internet. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !notPublic.check(address, 'ipv4')
  // An address with a zone is never a public one.
  if (!isIPv6(address) || address.includes('%')) return false
  return global.check(address, 'ipv6') && !notPublic.check(address, 'ipv6')
}
