/** What stands before a function's code, on its first line: so line numbers in stacks are those of the compiled code. */
export const FUNCTION_HEAD = '(function(exports,require,module,__filename,__dirname){'

/** A function's compiled code as the guest is given it and evaluates it, so that it need not make a second text of it. In stacks it is called `NAME.js`. */
export function functionCode(name: string, code: string): string {
  return `${FUNCTION_HEAD}${code}\n})\n//# sourceURL=${name}.js`
}
