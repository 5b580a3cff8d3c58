// Package fastxml reads the plain part of XML, which machines write: elements, attributes, text, CDATA and the five named
// entities. It is several times as fast as encoding/xml. It knows no mistakes: whatever is not plain (a comment, a
// document type, an unusual entity, a mistake) ends the scan with [Scanner.Odd], and the caller reads the document again
// with encoding/xml, which says what is wrong with it or finds that nothing is. What is plain means exactly what
// encoding/xml says it means.
package fastxml
