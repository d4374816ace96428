#include "restore/map/special_use.h"

#include "base/cleanup.h"
#include "base/str.h"

static const struct {
	const char *special_use;
	const char *names[32];
} usages[] = {
	{"\\Sent", {"Sent", "Sent Items", "Sent Messages", "Sent Mail", "Gesendet",
			   "Gesendete Elemente", "Gesendete Objekte", "Gesendete Nachrichten",
			   "Envoyés", "Éléments envoyés", "Messages envoyés", "Enviados",
			   "Elementos enviados", "Itens Enviados", "Inviata", "Posta inviata",
			   "Verzonden", "Verzonden items", "Skickat", "Sendt", "Sendte elementer",
			   "Lähetetyt", "Wysłane", "Odeslané", "Отправленные"}},
	{"\\Drafts", {"Drafts", "Draft", "Entwürfe", "Brouillons", "Borradores", "Rascunhos",
			     "Bozze", "Concepten", "Utkast", "Kladder", "Luonnokset", "Szkice",
			     "Kopie robocze", "Koncepty", "Черновики"}},
	{"\\Trash", {"Trash", "Deleted Items", "Deleted Messages", "Bin", "Papierkorb",
			    "Gelöschte Elemente", "Gelöschte Objekte", "Corbeille",
			    "Éléments supprimés", "Papelera", "Elementos eliminados", "Lixeira",
			    "Itens Excluídos", "Cestino", "Posta eliminata", "Prullenbak",
			    "Verwijderde items", "Papperskorg", "Papirkurv", "Roskakori", "Kosz",
			    "Koš", "Корзина"}},
	{"\\Junk", {"Junk", "Spam", "Junk E-mail", "Junk-E-Mail", "Junk Email", "Bulk Mail", "Bulk",
			   "Spamverdacht", "Indésirables", "Courrier indésirable",
			   "Correo no deseado", "Lixo Eletrônico", "Posta indesiderata",
			   "Ongewenste e-mail", "Skräppost", "Roskaposti", "Спам"}},
	{"\\Archive", {"Archive", "Archives", "Archiv", "Archief", "Archivo", "Archivio", "Arquivo",
			      "Arkiv", "Arkisto", "Архив"}},
};

const char *special_use_of_name(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(usages); i++)
		for (size_t k = 0; k < ARRAY_LEN(usages[i].names) && usages[i].names[k]; k++)
			if (str_equal_case(path, usages[i].names[k]))
				return usages[i].special_use;
	return NULL;
}
