let own = ''

/** What tokens are signed with that name no other secret (tokens.ts). */
export function setTokenSecret(secret: string): void {
  own = secret
}

export function tokenSecret(): string {
  return own
}
