// The page's Content-Security-Policy (gateway/http/graphiql.py) allows no inline styles, but Monaco, the editor inside
// GraphiQL, writes some in three ways. Each still works here, by means that only a script has: an element's nonce and
// an element's `style` property. docs/adr/0007-graphiql-without-unsafe-inline.md says why. Must run before Monaco does.

// 1. Style elements. Those that a script creates get the page's nonce; those that stand in HTML text never do.
const nonce = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]")!.nonce;
const createElement = Document.prototype.createElement;

Document.prototype.createElement = function (this: Document, name: string, options?: ElementCreationOptions) {
  const element = createElement.call(this, name, options);
  if (element instanceof HTMLStyleElement) {
    element.nonce = nonce;
  }
  return element;
};

// 2. Style attributes set by name, in some of Monaco's lesser widgets.
const setAttribute = Element.prototype.setAttribute;

Element.prototype.setAttribute = function (this: Element, name: string, value: string) {
  if (name === "style" && this instanceof HTMLElement) {
    this.style.cssText = value;
  } else {
    setAttribute.call(this, name, value);
  }
};

// 3. Style attributes in HTML text: Monaco draws its lines as one text in which every line has such an attribute. They
// travel under another name and become styles right after parsing, in the same step, because Monaco measures next.
const MOVED = "data-editor-style";
// Monaco escapes "<" in what the user wrote and quotes every attribute, so that a match always begins at a tag.
const STYLE_NAME = /(<[a-z](?:"[^"]*"|[^">])*?\s)style(?==")/g;

/** HTML text made by Monaco. Any other HTML keeps its style attributes, and the browser ignores them. */
class EditorHtml {
  readonly #html: string;

  constructor(html: string) {
    this.#html = html.replace(STYLE_NAME, `$1${MOVED}`);
  }

  toString(): string {
    return this.#html;
  }
}

/** An option of `window.MonacoEnvironment`: whatever HTML text Monaco draws passes through a policy made here. */
export function createTrustedTypesPolicy<Options extends object>(name: string, options?: Options) {
  return { ...options, name, createHTML: (html: string) => new EditorHtml(html) };
}

function applyMovedStyles(root: Element): void {
  for (const element of root.querySelectorAll<HTMLElement | SVGElement>(`[${MOVED}]`)) {
    element.style.cssText = element.getAttribute(MOVED)!;
    element.removeAttribute(MOVED);
  }
}

const innerHTML = Object.getOwnPropertyDescriptor(Element.prototype, "innerHTML")!;

Object.defineProperty(Element.prototype, "innerHTML", {
  ...innerHTML,
  set(this: Element, html: unknown) {
    innerHTML.set!.call(this, html);
    if (html instanceof EditorHtml) {
      applyMovedStyles(this);
    }
  },
});

const insertAdjacentHTML = Element.prototype.insertAdjacentHTML;

Element.prototype.insertAdjacentHTML = function (this: Element, position: InsertPosition, html: unknown) {
  insertAdjacentHTML.call(this, position, html as string);
  if (html instanceof EditorHtml) {
    applyMovedStyles(this.parentElement ?? this); // the new elements may be its neighbours
  }
};
