"""Headings that tables have in the languages of corpora, by the role of their column."""

from __future__ import annotations

# English, and what well-known corpora write. Accents, case, blanks and marks between words do not count.
HEADERS = {
    "id": "id utterance_id utt_id file_id segment_id",
    "path": "path file_name filename file audio_path audio_file file_path filepath wav wav_path wav_file audio "
    "audio_filepath audio_file_path audio_filename audio_file_name recording recording_path clip clip_path full_path",
    "emotion_raw": "emotion_raw",
    "emotion": "emotion emo emotion_label label emoclass category class emotion_class",
    "speaker": "speaker speaker_id spk spk_id spkid spkrid speakerid speaker_name actor actor_id client_id subject "
    "subject_id participant participant_id talker talker_id",
    "sex": "sex gender speaker_gender speaker_sex",
    "language": "language lang locale",
    "text": "text transcription transcript sentence raw_text normalized_text",
    "session": "session session_id",
    "licence": "licence license",
    "channel": "channel channel_id channel_number chan audio_channel ch",
    "split": "partition split split_set subset data_split dataset_split split_name fold",
    "rater": "rater rater_id annotator annotator_id coder coder_id evaluator evaluator_id judge labeler worker "
    "worker_id",
    "votes": "votes",
    "agreement": "agreement",
    "secondary": "secondary secondary_emotion",
    "valence": "valence_raw valence val emoval",
    "activation": "activation_raw activation arousal_raw arousal aro act emoact",
    "dominance": "dominance_raw dominance dom emodom",
}

# German, Polish, Spanish, French, Italian, Portuguese, Dutch, Danish, Swedish, Norwegian, Finnish, Estonian, Hungarian,
# Czech, Turkish, Greek, Russian, Arabic, Urdu, Persian, Hindi, Thai, Amharic, Chinese, Japanese and Korean.
ELSEWHERE = {
    "path": "datei dateiname audiodatei pfad aufnahme plik nazwa_pliku nagranie sciezka fichier nom_de_fichier "
    "nom_fichier chemin enregistrement archivo nombre_de_archivo nombre_archivo fichero ruta grabacion "
    "arquivo nome_do_arquivo nome_arquivo ficheiro gravacao file_audio nome_file percorso registrazione "
    "bestand bestandsnaam opname fil filnavn filnamn lydfil ljudfil tiedosto tiedostonimi fail failinimi "
    "fájl fájlnév hangfájl soubor nazev_souboru nahrávka dosya dosya_adi ses_dosyasi kayit αρχείο "
    "ονομα_αρχείου ηχογράφηση файл имя_файла запись аудио ملف اسم_الملف الملف فائل فایل نام_فایل फ़ाइल "
    "ไฟล์ ชื่อไฟล์ ፋይል 文件 文件名 音频 檔案 檔名 音檔 ファイル ファイル名 音声 파일 파일명 파일이름 음성",
    "emotion": "gefühl gefuehl stimmung emotionsklasse klasse emocja emocje uczucie etykieta klasa emoción emocion "
    "sentimiento etiqueta émotion sentiment étiquette etiquette emozione etichetta emoção sentimento "
    "rótulo emotie gevoel følelse folelse känsla kansla emotio tunne emotsioon érzelem erzelem emoce "
    "pocit duygu etiket συναίσθημα ετικέτα эмоция метка чувство العاطفة عاطفة المشاعر شعور جذبہ جذبات "
    "احساس هیجان भावना भाव อารมณ์ ስሜት 情感 情绪 标签 情緒 標籤 感情 情動 ラベル 감정 레이블",
    "speaker": "sprecher sprecher_id sprecherin person schauspieler proband mówca mowca mówca_id lektor aktor osoba "
    "badany locuteur locutrice id_locuteur acteur hablante locutor interlocutor id_hablante actor_id "
    "parlante attore falante id_falante ator spreker spreker_id taler talare puhuja kõneleja beszélő "
    "beszelo mluvčí mluvci konuşmacı konusmaci ομιλητής ομιλητες говорящий диктор спикер المتحدث متحدث "
    "المتكلم بولنے_والا مقرر گوینده वक्ता ผู้พูด ተናጋሪ 说话人 说话者 發言人 说话人编号 話者 話者id 화자 화자id 발화자",
    "sex": "geschlecht płeć plec sexo género genero sexe genre sesso geslacht køn kon kön kjønn sukupuoli sugu "
    "nem pohlaví pohlavi cinsiyet φύλο пол الجنس جنس صنف लिंग เพศ ጾታ 性别 性別 성별",
    "language": "sprache język jezyk idioma lengua langue lingua língua taal sprog språk kieli keel nyelv jazyk dil "
    "γλώσσα язык اللغة لغة زبان भाषा ภาษา ቋንቋ 语言 語言 言語 언어",
    "text": "satz transkript transkription zdanie transkrypcja oración frase transcripción phrase transcription "
    "testo trascrizione texto transcrição zin tekst mening lause szöveg věta metin κείμενο текст "
    "предложение النص نص متن वाक्य ข้อความ 文本 句子 テキスト 文 문장",
    "split": "aufteilung teilmenge podział podzial partición particion partage divisione",
    "rater": "bewerter annotatorin oceniający oceniajacy anotador annotateur annotatore разметчик",
    "valence": "valenz walencja valencia wartościowość valenza valência валентность",
    "activation": "erregung aktivierung aktywacja pobudzenie activación activacion activation_level attivazione "
    "ativação активация возбуждение",
    "dominance": "dominanz dominacja dominancia dominanza dominância доминирование",
}
